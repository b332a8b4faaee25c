package delivery

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"padron/infra/review"
)

// stateful are the types that hold what cannot be made again: data, keys that
// data needs, names that the world knows.
var stateful = []string{
	"AWS::Backup::BackupVault", "AWS::Backup::LogicallyAirGappedBackupVault",
	"AWS::DynamoDB::Table", "AWS::EC2::Volume",
	"AWS::ECR::Repository", "AWS::EFS::FileSystem",
	"AWS::KMS::Key", "AWS::KMS::ReplicaKey",
	"AWS::Logs::LogGroup",
	"AWS::RDS::DBCluster", "AWS::RDS::DBInstance",
	"AWS::Route53::HostedZone",
	"AWS::S3::Bucket", "AWS::SQS::Queue",
	"AWS::SecretsManager::Secret",
}

// Loss is a stateful resource that a change replaces or deletes.
type Loss struct {
	Stack  string
	Change review.Change
}

// Name is STACK/LogicalID: what allows it.
func (l Loss) Name() string { return l.Stack + "/" + l.Change.LogicalID }

// String says what happens.
func (l Loss) String() string {
	what := "is deleted"
	switch {
	case l.Change.Replacement == "Conditional":
		what = "may be replaced"
	case l.Change.Action != "Remove":
		what = "is replaced"
	}
	return fmt.Sprintf("%s (%s) %s", l.Name(), l.Change.Type, what)
}

// Losses are the stateful resources that the record's changes replace or delete.
func (r *Record) Losses() []Loss {
	var all []Loss
	for _, s := range r.Stacks {
		for _, c := range s.Changes {
			if slices.Contains(stateful, c.Type) && (c.Action == "Remove" || c.Replaces()) {
				all = append(all, Loss{s.Name, c})
			}
		}
	}
	return all
}

// allowed returns an error for each loss that no override names, and for each
// override that names none.
func (r *Record) allowed(overrides []string) error {
	var refused []error
	losses := r.Losses()
	for _, l := range losses {
		if !slices.Contains(overrides, l.Name()) {
			refused = append(refused, fmt.Errorf("%s, and what is in it is lost: keep it, or say --allow-replacement %s", l, l.Name()))
		}
	}
	for _, name := range overrides {
		if !slices.ContainsFunc(losses, func(l Loss) bool { return l.Name() == name }) {
			refused = append(refused, fmt.Errorf("--allow-replacement %s allows nothing: no stateful resource of that name is replaced or deleted%s", name, named(losses)))
		}
	}
	return errors.Join(refused...)
}

func named(losses []Loss) string {
	if len(losses) == 0 {
		return ""
	}
	var names []string
	for _, l := range losses {
		names = append(names, l.Name())
	}
	return "; these are: " + strings.Join(names, ", ")
}
