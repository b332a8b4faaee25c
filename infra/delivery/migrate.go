package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"padron/infra/deploy"
)

// The task that migrates the database stands in one stack, and the programs that
// want the new schema in another.
const (
	migrationStack = "migration"
	servicesStack  = "services"
)

// migrate runs the migration task, unless the last release says that this very
// task definition ran and the stack has not changed since. So one that failed
// runs again at the next apply, even where that changes nothing. Migrations only
// add while a version is in use: a rollback's older one finds a later schema, and
// leaves it, and what the later programs may do in it, which run until the stack
// of the services is done.
func (d *Delivery) migrate(ctx context.Context, s StackPlan, last *Release) (*deploy.Migrated, error) {
	on := &deploy.Deployment{Env: d.Env, Templates: d.Templates, AWS: d.in(s.Region), Poll: d.Poll, Progress: d.Progress}
	definition, err := on.MigrationDefinition(ctx)
	if err != nil {
		return nil, err
	}
	if s.ChangeSet == "" && last != nil && last.Migration != nil && last.Migration.Definition == definition {
		return last.Migration, nil
	}
	ran, err := on.Migrate(ctx)
	if err != nil {
		return nil, fmt.Errorf("stack %s is complete, and its task did not do its work: %w\n"+
			"Stacks after it were not touched, and what ran before runs on: correct the cause, and plan again; the next apply runs the migration again", s.Name, err)
	}
	return ran, nil
}

// ordered returns an error unless the services come after the migration.
func ordered(r *Record) error {
	at := func(name string) int {
		return slices.IndexFunc(r.Stacks, func(s StackPlan) bool { return s.Name == name })
	}
	migration, services := at(migrationStack), at(servicesStack)
	switch {
	case services < 0:
		return nil
	case migration < 0 || migration > services:
		return errors.New("in the record the stack services does not come after the stack migration, whose task makes the schema that it needs: plan again")
	case r.Stacks[migration].State == Waiting && r.Stacks[services].ChangeSet != "":
		return errors.New("in the record the stack services has a change set and the stack migration, whose task makes the schema that it needs, waits: plan again")
	}
	return nil
}
