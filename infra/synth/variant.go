package synth

import (
	"path/filepath"

	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
	"padron/infra/estate"
)

// Variant synthesizes every environment that configs describes, in place of the
// estate's own, into out/ENVIRONMENT: what a change of the configuration would
// deploy. Nothing judges them. The faults of all configurations come at once.
func Variant(configs, out string) error {
	environments, err := config.All(configs)
	if err != nil {
		return err
	}
	defer jsii.Close()
	for _, env := range environments {
		app := newApp(filepath.Join(out, env.Name), env)
		estate.New(app, env)
		app.Synth(nil)
	}
	return nil
}
