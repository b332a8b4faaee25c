package delivery

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// Rollback plans the way back to an earlier release, whose templates are kept
// with it: the record is reviewed and applied like any other. One that would
// replace or delete a stateful resource is refused, and so is one whose images
// are not in the registry any more. The database's schema and data stay as they
// are.
func (d *Delivery) Rollback(ctx context.Context, to *Release) (*Plan, error) {
	shelf := NewShelf(d.Env, d.AWS)
	last, err := shelf.Last(ctx)
	if err != nil {
		return nil, err
	}
	if last == nil {
		return nil, fmt.Errorf("nothing was released to %s yet, so there is nothing to go back from", d.Env.Name)
	}
	if to.Environment != d.Env.Name || to.Account != d.Env.Account {
		return nil, fmt.Errorf("release %d is of environment %s in account %s, and this is %s in %s", to.Revision, to.Environment, to.Account, d.Env.Name, d.Env.Account)
	}
	if err := d.turnTo(ctx, shelf, to); err != nil {
		return nil, err
	}
	if err := errors.Join(d.unspoilt(ctx, to.Assets), d.pulled(ctx, to.Images)); err != nil {
		return nil, fmt.Errorf("release %d cannot run any more:\n%w", to.Revision, err)
	}
	record := d.begin()
	record.RollbackTo, record.Images, record.Version, record.Assets = to.Revision, to.Images, to.Version, to.Assets
	p, err := d.plan(ctx, shelf, last, record)
	if err != nil {
		return nil, err
	}
	var refused []error
	for _, l := range record.Losses() {
		refused = append(refused, fmt.Errorf("%s, and what is in it is lost", l))
	}
	if len(refused) > 0 {
		return nil, errors.Join(fmt.Errorf("going back to release %d is refused: change forward instead:\n%w", to.Revision, errors.Join(refused...)), p.withdraw(ctx))
	}
	return p.done(ctx)
}

// Release returns the release that a person names: by its revision, or by the
// file of its record.
func (d *Delivery) Release(ctx context.Context, name string) (*Release, error) {
	revision, err := strconv.Atoi(name)
	if err != nil {
		return ReadRelease(name)
	}
	return NewShelf(d.Env, d.AWS).Get(ctx, revision)
}

// turnTo makes the delivery one of what was released then.
func (d *Delivery) turnTo(ctx context.Context, shelf *Shelf, to *Release) (err error) {
	if d.files, d.Description, err = shelf.templates(ctx, to); err != nil {
		return err
	}
	d.kept = to
	d.Source = Source{Version: to.Padron, Commit: to.Commit, Tree: to.Tree}
	d.Templates, err = to.assembly(d.files)
	return err
}

// errGone is an image that the registry does not hold.
var errGone = errors.New("it is not in the registry")

// pulled returns an error for each image that the registry does not hold.
func (d *Delivery) pulled(ctx context.Context, images map[string]string) error {
	client := ecr.NewFromConfig(d.AWS)
	var missing []error
	for _, program := range sortedKeys(images) {
		_, err := client.DescribeImages(ctx, &ecr.DescribeImagesInput{
			RepositoryName: aws.String(d.Env.Prefix() + "-" + program), ImageIds: []types.ImageIdentifier{{ImageDigest: aws.String(images[program])}},
		})
		if _, gone := errors.AsType[*types.ImageNotFoundException](err); gone {
			err = errGone // the registry's own words are others each time
		}
		if err != nil {
			missing = append(missing, fmt.Errorf("the image %s of %s: %w", images[program], program, err))
		}
	}
	return errors.Join(missing...)
}
