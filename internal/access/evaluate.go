package access

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/cedar-policy/cedar-go"

	"padron"
)

//go:embed policies.cedar
var policiesCedar []byte

// The actions of policies.cedar. A padron.Action is an endpoint there, and what
// is done with it is a call.
const (
	verbCall   = "call"
	verbView   = "view"
	verbMasked = "view_masked"
	verbReveal = "reveal"
)

// The entity types of policies.cedar.
const (
	typeRole     = "Role"
	typeAction   = "Action"
	typeEndpoint = "Endpoint"
	typeField    = "Field"
	typeGroup    = "Group"
)

// question is one cell of the table: may the role do this to that?
type question struct {
	role   padron.Role
	verb   string
	target string
}

// ruling is the answer, and the sorted ids of the policies that decided it;
// none means that no policy permits it.
type ruling struct {
	allowed bool
	by      []string
}

// actions returns every action a policy may allow.
func actions() []padron.Action {
	return []padron.Action{
		padron.ActionMe, padron.ActionGet, padron.ActionList, padron.ActionSearch,
		padron.ActionReveal, padron.ActionRuns, padron.ActionQuarantine, padron.ActionAudit,
	}
}

// parsePolicies reads a Cedar document whose policies each have an @id of
// their own.
func parsePolicies(document []byte) (*cedar.PolicySet, error) {
	list, err := cedar.NewPolicyListFromBytes("policies.cedar", document)
	if err != nil {
		return nil, fmt.Errorf("access: parse policies.cedar: %w", err)
	}
	set := cedar.NewPolicySet()
	for _, policy := range list {
		id := cedar.PolicyID(policy.Annotations()["id"])
		if id == "" || !set.Add(id, policy) {
			return nil, fmt.Errorf("access: policies.cedar:%d: give the policy an @id of its own", policy.Position().Line)
		}
	}
	return set, nil
}

// newPolicy asks every question there is and keeps the answers.
func newPolicy(set *cedar.PolicySet) (*Policy, error) {
	e := evaluator{set: set, entities: entities()}
	p := &Policy{
		rulings:     make(map[question]ruling),
		disclosures: make(map[padron.Role]padron.Disclosures),
		revealable:  make(map[padron.Role][]padron.Field),
	}
	for _, role := range padron.Roles() {
		if err := p.addRole(e, role); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *Policy) addRole(e evaluator, role padron.Role) error {
	for _, action := range actions() {
		if _, err := p.ask(e, question{role, verbCall, string(action)}, typeEndpoint); err != nil {
			return err
		}
	}
	var d padron.Disclosures
	for _, f := range padron.Fields() {
		var err error
		if d[f], err = p.addField(e, role, f); err != nil {
			return err
		}
	}
	p.disclosures[role] = d
	return nil
}

// addField returns how much of the field the role sees. A masked form exists of
// the financial fields alone: any other field would be shown in full.
func (p *Policy) addField(e evaluator, role padron.Role, f padron.Field) (padron.Disclosure, error) {
	view, err := p.ask(e, question{role, verbView, f.String()}, typeField)
	if err != nil {
		return padron.Hidden, err
	}
	masked, err := p.ask(e, question{role, verbMasked, f.String()}, typeField)
	if err != nil {
		return padron.Hidden, err
	}
	reveal, err := p.ask(e, question{role, verbReveal, f.String()}, typeField)
	if err != nil {
		return padron.Hidden, err
	}
	if reveal {
		p.revealable[role] = append(p.revealable[role], f)
	}
	switch {
	case view:
		return padron.Full, nil
	case masked && f.Group() != padron.GroupFinancial:
		return padron.Hidden, fmt.Errorf("access: policies.cedar: role %s views %s masked, but the field has no masked form", role, f)
	case masked:
		return padron.Masked, nil
	}
	return padron.Hidden, nil
}

// ask puts one question and keeps the answer for [Policy.Explain].
func (p *Policy) ask(e evaluator, q question, resource cedar.EntityType) (bool, error) {
	r, err := e.rule(q, resource)
	p.rulings[q] = r
	return r.allowed, err
}

// evaluator is the policies and the entities they speak of.
type evaluator struct {
	set      *cedar.PolicySet
	entities cedar.EntityMap
}

// rule answers one question. A policy that fails to evaluate is an error, not
// a policy to skip: a forbid that is skipped forbids nothing.
func (e evaluator) rule(q question, resource cedar.EntityType) (ruling, error) {
	decision, diagnostic := cedar.Authorize(e.set, e.entities, cedar.Request{
		Principal: cedar.NewEntityUID(typeRole, cedar.String(q.role)),
		Action:    cedar.NewEntityUID(typeAction, cedar.String(q.verb)),
		Resource:  cedar.NewEntityUID(resource, cedar.String(q.target)),
	})
	if len(diagnostic.Errors) > 0 {
		first := diagnostic.Errors[0]
		return ruling{}, fmt.Errorf("access: policy %s fails for %s %s %s: %s", first.PolicyID, q.role, q.verb, q.target, first.Message)
	}
	r := ruling{allowed: decision == cedar.Allow}
	for _, reason := range diagnostic.Reasons {
		r.by = append(r.by, string(reason.PolicyID))
	}
	slices.SortFunc(r.by, strings.Compare)
	return r, nil
}

// entities are the fields within their groups; nothing else has a parent.
func entities() cedar.EntityMap {
	m := cedar.EntityMap{}
	for _, f := range padron.Fields() {
		uid := cedar.NewEntityUID(typeField, cedar.String(f.String()))
		group := cedar.NewEntityUID(typeGroup, cedar.String(f.Group().String()))
		m[uid] = cedar.Entity{UID: uid, Parents: cedar.NewEntityUIDSet(group)}
	}
	return m
}
