package controls

import (
	"fmt"
	"slices"
	"strings"

	"padron/infra/cfn"
)

// checkControls are about the check that is run at the bastion without a session.
func checkControls() []Control {
	return []Control{
		{
			ID: "bastion.one-command", What: "without a session, nothing but the check of the service can be run at the bastion",
			PCI: []string{"7.2.2", "10.2.1.2"}, NIST: []string{"AC-3", "AC-6", "CM-7"},
			Check:  oneCommand,
			Remove: put(typeDocument, "Check", ".*", "Content", "parameters", "version", "allowedPattern"),
		},
		{
			ID: "bastion.tokens-stay", What: "the tokens of a check are made at the bastion, kept in its memory and gone with the check; only their hashes leave it",
			PCI: []string{"8.3.2", "8.6.2"}, NIST: []string{"IA-5", "SC-28"},
			Check: both(
				runs("Draft", "install -d -m 0700 -o nobody /run/padron-check", "runuser -u nobody -- ./padron token draft-check --to /run/padron-check/tokens.json"),
				runs("Check", "/run/padron-check' EXIT", "--tokens /run/padron-check/tokens.json"),
			),
			Remove: put(typeDocument, "Draft", []any{map[string]any{
				"action": "aws:runShellScript", "name": "check", "inputs": map[string]any{"runCommand": []any{"./padron token draft --role admin --name check"}},
			}}, "Content", "mainSteps"),
		},
		{
			ID: "bastion.checked-by-deploy", What: "of the pipeline, only the role that deploys has the bastion check, and it writes nothing there but the program",
			PCI: []string{"7.2.2", "7.2.5"}, NIST: []string{"AC-5", "AC-6"},
			Check: checkedByDeploy,
			Remove: func(e *Estate) int {
				statement(e.Find(typePolicy, "Verify"), "PolicyDocument", "BringTool")["Resource"] = []any{map[string]any{
					"Fn::GetAtt": []any{e.Find(typeBucket, "Sessions").LogicalID, "Arn"},
				}}
				return 1
			},
		},
	}
}

// runs checks that the script of a document has the texts.
func runs(document string, texts ...string) func(*Estate) []string {
	return one(typeDocument, document, func(r *cfn.Resource) string {
		script := fmt.Sprint(r.Get("Content", "mainSteps"))
		for _, text := range texts {
			if !strings.Contains(script, text) {
				return "does not run " + text
			}
		}
		return ""
	})
}

// oneCommand checks that the documents of commands take no parameter in which a
// command could stand, and that nobody may send another one.
func oneCommand(e *Estate) []string {
	var wrong []string
	for _, id := range []string{"Draft", "Check"} {
		wrong = append(wrong, one(typeDocument, id, func(r *cfn.Resource) string {
			parameters, _ := r.Get("Content", "parameters").(map[string]any)
			for name := range parameters {
				pattern := r.Text("Content", "parameters", name, "allowedPattern")
				if !strings.HasPrefix(pattern, "^") || !strings.HasSuffix(pattern, "$") || strings.ContainsAny(pattern, "'\"`;|&<> *") {
					return "its parameter " + name + " may be anything"
				}
			}
			return ""
		})(e)...)
	}
	for _, p := range e.Resources("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy") {
		for _, s := range policyStatements(p) {
			if slices.Contains(several(s["Action"]), "ssm:SendCommand") && slices.ContainsFunc(several(p.Stack.Resolve(s["Resource"])), anotherCommand) {
				wrong = append(wrong, p.Path()+" may send other commands")
			}
		}
	}
	return wrong
}

// anotherCommand reports whether a resource is neither the bastion nor one of the
// two documents of the check.
func anotherCommand(arn string) bool {
	_, name, found := strings.Cut(arn, ":document/")
	if !found {
		return !strings.HasSuffix(arn, ":instance/${bastion.Instance}")
	}
	return name != "${bastion.Check}" && name != "${bastion.Draft}"
}

// checkedByDeploy checks who of the pipeline wakes the bastion and sends it
// commands, and who writes into its bucket: it its sessions, and the role that
// deploys the program.
func checkedByDeploy(e *Estate) []string {
	bucket := e.Find(typeBucket, "Sessions")
	if bucket == nil {
		return []string{"the bastion has no bucket"}
	}
	var wrong []string
	for _, action := range []string{"ssm:SendCommand", "ec2:StartInstances"} {
		for _, p := range permissions(e, action) {
			if p.role.Path() != "deploy" {
				wrong = append(wrong, action+": "+p.String())
			}
		}
	}
	arn := cfn.Reference{Resource: bucket, Attribute: "Arn"}.String()
	may := map[string]string{"bastion": arn + "/sessions/*", "deploy": arn + "/tools/padron"}
	for _, p := range permissions(e, "s3:PutObject") {
		for _, on := range p.resources {
			if strings.HasPrefix(on, arn) && on != may[p.role.Path()] {
				wrong = append(wrong, "s3:PutObject: "+p.String())
			}
		}
	}
	return wrong
}
