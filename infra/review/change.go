// Package review tells a person what a deployment would change: each stack's
// resources, rights and ways in, who reaches whom, what it costs and which
// safeguards it touches. It reads templates and described changes, and asks no
// account.
package review

// Change is what CloudFormation says that it will do to one resource.
type Change struct {
	// Action is Add, Modify, Remove, Import or Dynamic.
	Action string `json:"action"`
	// LogicalID and Type are the template's; PhysicalID is "" for what is new.
	LogicalID  string `json:"logical_id"`
	Type       string `json:"type"`
	PhysicalID string `json:"physical_id,omitempty"`
	// Replacement is True, False, Conditional, or "" where nothing is modified.
	Replacement string `json:"replacement,omitempty"`
	// Scope is which attributes change: Properties, Metadata, Tags and others.
	Scope []string `json:"scope,omitempty"`
	// Details are the properties, sorted.
	Details []Detail `json:"details,omitempty"`
}

// Detail is why a resource changes: one property or attribute.
type Detail struct {
	// Attribute is Properties, Metadata, Tags and the like; Name is the
	// property's, "" for the other attributes.
	Attribute string `json:"attribute"`
	Name      string `json:"name,omitempty"`
	// Recreation is Never, Conditionally or Always.
	Recreation string `json:"recreation,omitempty"`
	// Source is where the new value comes from, such as DirectModification.
	Source string `json:"source,omitempty"`
}

// Replaces reports whether the resource is, or may be, made anew: what is in the
// old one is then lost.
func (c Change) Replaces() bool { return c.Replacement == "True" || c.Replacement == "Conditional" }
