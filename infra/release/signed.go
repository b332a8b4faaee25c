package release

import (
	"context"
	"errors"
	"fmt"

	"padron/infra/config"
	"padron/infra/images"
)

// Signed returns an error for each of the environment's images, digests by
// program, that believed did not sign. What was stopped at the gate lies in the
// registry, too, and anybody's change can name it: only what passed is signed.
// The digest of nothing, before the first release, is nobody's.
func Signed(ctx context.Context, project string, env *config.Environment, named map[string]string, registry *Registry, believed images.Who) (err error) {
	signer, err := images.NewSigner(ctx, project, registry.Host, registry.Who, registry.Options...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, signer.Close()) }()
	var faults []error
	for _, program := range images.Names {
		digest := named[program]
		if digest == config.NoImage {
			continue
		}
		if err := signer.Signed(ctx, believed, registry.Host+"/"+env.Prefix()+"-"+program, digest); err != nil {
			faults = append(faults, fmt.Errorf("the image %s of %s has not the signature of a release, so it passed no gate: %w", digest, program, err))
		}
	}
	return errors.Join(faults...)
}
