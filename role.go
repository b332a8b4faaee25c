package padron

import "slices"

// Role is what a principal may do. Which fields a role sees is policy and
// stands in internal/access.
type Role string

// The roles.
const (
	RoleViewer   Role = "viewer"
	RoleAnalyst  Role = "analyst"
	RoleAdmin    Role = "admin"
	RoleOperator Role = "operator"
	RoleAuditor  Role = "auditor"
	RolePrivacy  Role = "privacy"
)

// Roles returns every role, in the order documents list them.
func Roles() []Role {
	return []Role{RoleViewer, RoleAnalyst, RoleAdmin, RoleOperator, RoleAuditor, RolePrivacy}
}

// ParseRole returns the role with that name; the error lists the names.
func ParseRole(name string) (Role, error) {
	if r := Role(name); slices.Contains(Roles(), r) {
		return r, nil
	}
	return "", Invalid("role", "%q is not one of %v", name, Roles())
}

// Action is what a principal does; policy allows it and the audit log names it.
type Action string

// The actions.
const (
	ActionMe         Action = "me"
	ActionGet        Action = "customer.get"
	ActionList       Action = "customer.list"
	ActionSearch     Action = "customer.search"
	ActionReveal     Action = "customer.reveal"
	ActionRuns       Action = "runs.read"
	ActionQuarantine Action = "quarantine.read"
	ActionAudit      Action = "audit.read"
)

// Principal is who calls: one token or one person, with one role.
type Principal struct {
	// ID is stable and unique: "token:" and the token's id.
	ID string
	// Name is for people: the token's name.
	Name string
	Role Role
}
