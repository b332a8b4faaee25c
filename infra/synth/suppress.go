package synth

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"

	"padron/infra/config"
	"padron/infra/ledger"
)

// suppress writes the ledger's decisions for the environment into its
// resources, each in the form that its tool reads. Parliament has no form of
// its own: who runs it filters.
func suppress(app awscdk.App, env *config.Environment, environments []string, decisions ledger.Ledger) {
	found := map[string]awscdk.CfnResource{}
	has := func(path string) bool {
		if found[path] == nil {
			found[path] = resource(app, path)
		}
		return found[path] != nil
	}
	skips := map[string]*metadata{}
	for _, s := range decisions.For(env, environments, has) {
		if !has(s.Path) {
			continue // the ledger's own test reports it
		}
		if skips[s.Path] == nil {
			skips[s.Path] = &metadata{}
		}
		skips[s.Path].add(found[s.Path], s)
	}
	for path, m := range skips {
		m.write(found[path])
	}
}

// resource returns the CloudFormation resource at STACK/PATH, nil where there
// is none.
func resource(app awscdk.App, path string) awscdk.CfnResource {
	var at constructs.IConstruct = app
	for name := range strings.SplitSeq(path, "/") {
		if at = at.Node().TryFindChild(jsii.String(name)); at == nil {
			return nil
		}
	}
	if !*awscdk.CfnResource_IsCfnResource(at) {
		at = at.Node().DefaultChild()
	}
	r, _ := at.(awscdk.CfnResource)
	return r
}

// metadata is what a resource carries for the tools that read templates.
type metadata struct {
	checkov []map[string]string
	cfnLint []string
}

// add takes one suppression up. The reason names the decision, so that a
// reader of the template finds it in the ledger.
func (m *metadata) add(to awscdk.CfnResource, s ledger.Suppression) {
	reason := fmt.Sprintf("%s: %s", s.Entry.ID, s.Entry.Reason)
	switch s.Tool {
	case ledger.Checkov:
		m.checkov = append(m.checkov, map[string]string{"id": s.Rule, "comment": reason})
	case ledger.CfnLint:
		m.cfnLint = append(m.cfnLint, s.Rule)
	case ledger.Nag:
		rule, finding, granular := strings.Cut(strings.TrimSuffix(s.Rule, "]"), "[")
		suppression := &cdknag.NagPackSuppression{Id: jsii.String(rule), Reason: jsii.String(reason)}
		if granular {
			suppression.AppliesTo = &[]any{finding}
		}
		cdknag.NagSuppressions_AddResourceSuppressions(to, &[]*cdknag.NagPackSuppression{suppression}, jsii.Bool(false))
	}
}

func (m *metadata) write(to awscdk.CfnResource) {
	if m.checkov != nil {
		to.AddMetadata(jsii.String("checkov"), map[string]any{"skip": m.checkov})
	}
	if m.cfnLint != nil {
		to.AddMetadata(jsii.String("cfn-lint"), map[string]any{"config": map[string]any{"ignore_checks": m.cfnLint}})
	}
}
