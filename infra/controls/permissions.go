package controls

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"padron/infra/cfn"
)

// permission is a statement that lets a role do an action.
type permission struct {
	role *cfn.Resource
	// resources are ARNs, with references as they are written.
	resources []string
}

// String says who may do it to what.
func (p permission) String() string { return p.role.Path() + " on " + strings.Join(p.resources, ", ") }

// permissions returns every statement of the estate's policies that lets a role
// do the action, one for each role, in the order of the stacks.
func permissions(e *Estate, action string) []permission {
	var found []permission
	for _, p := range e.Resources("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy") {
		for _, role := range cfn.Targets(p.Get("Roles")) {
			found = append(found, allowed(role, p.Get("PolicyDocument"), action)...)
		}
	}
	for _, role := range e.Resources("AWS::IAM::Role") {
		for i := range role.List("Policies") {
			found = append(found, allowed(role, role.Get("Policies", fmt.Sprint(i), "PolicyDocument"), action)...)
		}
	}
	return found
}

// allowed returns what the document lets the role do of the action.
func allowed(role *cfn.Resource, document any, action string) []permission {
	d, _ := document.(map[string]any)
	var found []permission
	for _, s := range objects(d["Statement"]) {
		covers := func(pattern string) bool {
			ok, _ := path.Match(strings.ToLower(pattern), strings.ToLower(action))
			return ok
		}
		if s["Effect"] == "Allow" && slices.ContainsFunc(several(s["Action"]), covers) {
			found = append(found, permission{role, several(s["Resource"])})
		}
	}
	return found
}

// several returns the texts of a value that is one or a list of them.
func several(v any) []string {
	l, ok := v.([]any)
	if !ok {
		l = []any{v}
	}
	texts := make([]string, len(l))
	for i, x := range l {
		texts[i] = fmt.Sprint(x)
	}
	return texts
}

// allowedOnly checks that exactly the roles may do the action to resources that hold
// the text: nobody else, and each of them.
func allowedOnly(action, text string, roles ...string) func(*Estate) []string {
	return func(e *Estate) []string {
		var wrong, found []string
		for _, p := range permissions(e, action) {
			if !slices.ContainsFunc(p.resources, func(r string) bool { return r == "*" || strings.Contains(r, text) }) {
				continue
			}
			if found = append(found, p.role.Path()); !slices.Contains(roles, p.role.Path()) {
				wrong = append(wrong, fmt.Sprintf("%s: %s", action, p))
			}
		}
		for _, role := range roles {
			if !slices.Contains(found, role) {
				wrong = append(wrong, fmt.Sprintf("%s: %s may not", action, role))
			}
		}
		return wrong
	}
}

// alsoTo returns a Remove that attaches a policy to one more role.
func alsoTo(policy, role string) func(*Estate) int {
	return func(e *Estate) int {
		p, r := e.Find("AWS::IAM::ManagedPolicy", policy), e.Find("AWS::IAM::Role", role)
		if p == nil || r == nil {
			return 0
		}
		roles, _ := p.Properties["Roles"].([]any)
		p.Properties["Roles"] = append(slices.Clone(roles), map[string]any{"Fn::ImportValue": roleExport(r)})
		return 1
	}
}

// roleExport is the name under which the role's stack exports it.
func roleExport(role *cfn.Resource) string {
	outputs, _ := role.Stack.Template["Outputs"].(map[string]any)
	for _, v := range outputs {
		output, _ := v.(map[string]any)
		if cfn.Target(role.Stack.Resolve(output["Value"])) == role {
			export, _ := output["Export"].(map[string]any)
			name, _ := export["Name"].(string)
			return name
		}
	}
	return ""
}
