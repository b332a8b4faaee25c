package synth

import (
	"path/filepath"

	"github.com/aws/jsii-runtime-go"

	"padron/infra/config"
	"padron/infra/estate"
	"padron/infra/ledger"
)

// Variant synthesizes every environment that configs describes, in place of the
// estate's own, into out/ENVIRONMENT: what a change of the configuration would
// deploy. Nothing judges them, and the ledger below root stands in them as in
// the estate's own. The faults of all configurations come at once.
func Variant(root, configs, out string) error {
	environments, err := config.All(configs)
	if err != nil {
		return err
	}
	decisions, err := ledger.Load(root)
	if err != nil {
		return err
	}
	defer jsii.Close()
	for _, env := range environments {
		app := newApp(filepath.Join(out, env.Name), env)
		estate.New(app, env)
		suppress(app, env, names(environments), decisions)
		app.Synth(nil)
	}
	return nil
}
