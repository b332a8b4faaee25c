package access

import (
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cedar-policy/cedar-go"
	"github.com/google/go-cmp/cmp"

	"padron"
)

var update = flag.Bool("update", false, "write the golden files")

func builtin(t *testing.T) *Policy {
	t.Helper()
	p, err := NewPolicy()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// matrix writes the whole policy as text: what each role sees of each field,
// and what it may do.
func matrix(p *Policy) string {
	var b strings.Builder
	row := func(name string, cell func(padron.Role) string) {
		fmt.Fprintf(&b, "%-16s", name)
		for _, role := range padron.Roles() {
			fmt.Fprintf(&b, " %-13s", cell(role))
		}
		b.WriteByte('\n')
	}
	row("", func(r padron.Role) string { return string(r) })
	for _, f := range padron.Fields() {
		row(f.String(), func(r padron.Role) string { return cell(p, r, f) })
	}
	b.WriteByte('\n')
	for _, a := range actions() {
		row(string(a), func(r padron.Role) string { return strconv.FormatBool(p.Allows(r, a)) })
	}
	return b.String()
}

func cell(p *Policy, role padron.Role, f padron.Field) string {
	text := disclosureName(p.Disclosures(role)[f])
	if slices.Contains(p.Revealable(role), f) {
		text += "+reveal"
	}
	return text
}

func TestMatrix(t *testing.T) {
	got := matrix(builtin(t))
	if *update {
		if err := os.WriteFile("testdata/matrix.golden", []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/matrix.golden")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

// Every policy must matter: one whose loss nobody notices is one whose fault
// nobody notices.
func TestNoDeadPolicy(t *testing.T) {
	whole := matrix(builtin(t))
	set, err := parsePolicies(policiesCedar)
	if err != nil {
		t.Fatal(err)
	}
	var ids []cedar.PolicyID
	for id := range set.All() {
		ids = append(ids, id)
	}
	for _, id := range ids {
		rest, err := parsePolicies(policiesCedar)
		if err != nil {
			t.Fatal(err)
		}
		rest.Remove(id)
		p, err := newPolicy(rest)
		if err != nil {
			t.Fatalf("without %s: %v", id, err)
		}
		if matrix(p) == whole {
			t.Errorf("policy %s changes nothing", id)
		}
	}
}

func TestDefaultDeny(t *testing.T) {
	empty, err := newPolicy(cedar.NewPolicySet())
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"true", "full", "masked", "reveal"} {
		rows := strings.ReplaceAll(matrix(empty), string(padron.ActionReveal), "")
		if strings.Contains(rows, word) {
			t.Errorf("without policies the matrix has %q", word)
		}
	}
	p := builtin(t)
	for _, role := range []padron.Role{"", "root", "Admin", "admin "} {
		if p.Allows(role, padron.ActionMe) || len(p.Disclosures(role).Visible()) > 0 || len(p.Revealable(role)) > 0 {
			t.Errorf("role %q may do something", role)
		}
	}
	if p.Allows(padron.RoleAdmin, "customer.delete") || p.Allows(padron.RoleAdmin, "") {
		t.Error("an unknown action is allowed")
	}
}

// A field's name is no action: the answers about fields must not leak into
// those about endpoints.
func TestQuestionsAreApart(t *testing.T) {
	p := builtin(t)
	for _, f := range padron.Fields() {
		if p.Allows(padron.RoleAdmin, padron.Action(f.String())) {
			t.Errorf("%s is an action", f)
		}
	}
}

// An action that is added to the vocabulary must get a row in the matrix.
func TestEveryActionIsAsked(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../role.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []padron.Action
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "Action" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			declared = append(declared, padron.Action(text))
		}
		return true
	})
	if diff := cmp.Diff(declared, actions()); diff != "" {
		t.Error(diff)
	}
}

func TestAuthorize(t *testing.T) {
	p := builtin(t)
	for _, role := range padron.Roles() {
		for _, action := range actions() {
			err := p.Authorize(role, action)
			if p.Allows(role, action) != (err == nil) {
				t.Errorf("%s, %s: %v", role, action, err)
			}
			if err == nil {
				continue
			}
			text := err.Error()
			if padron.ErrorCode(err) != padron.CodeForbidden || !strings.Contains(text, string(role)) || !strings.Contains(text, string(action)) {
				t.Errorf("%s, %s: %v", role, action, err)
			}
		}
	}
}

func TestSelect(t *testing.T) {
	p := builtin(t)
	tests := []struct {
		name  string
		role  padron.Role
		names []string
		want  string
	}{
		{"one", padron.RoleViewer, []string{"address"}, "id:full address:full"},
		{"id is always there", padron.RoleViewer, []string{"id"}, "id:full"},
		{"twice is once", padron.RoleViewer, []string{"address", "id", "address"}, "id:full address:full"},
		{"masked stays masked", padron.RoleAdmin, []string{"card_number"}, "id:full card_number:masked"},
		{"order is the view's", padron.RoleAnalyst, []string{"car", "zip_code"}, "id:full zip_code:full car:full"},
		{"all", padron.RoleViewer, nil, "id:full registered_at:full user_name:full address:full avatar_url:full"},
		{"nothing to see", padron.RoleOperator, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := p.Select(tt.role, tt.names)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range d.Visible() {
				got = append(got, f.String()+":"+disclosureName(d[f]))
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSelectRefuses(t *testing.T) {
	p := builtin(t)
	tests := []struct {
		name  string
		role  padron.Role
		names []string
		code  padron.Code
		says  string
	}{
		{"unknown", padron.RoleViewer, []string{"id", "Grace Hopper"}, padron.CodeInvalid, "name 2"},
		{"empty", padron.RoleViewer, []string{""}, padron.CodeInvalid, "name 1"},
		{"provider's name", padron.RoleViewer, []string{"direccion"}, padron.CodeInvalid, "address"},
		{"security code", padron.RoleAdmin, []string{padron.SecurityCodeName}, padron.CodeInvalid, "name 1"},
		{"case matters", padron.RoleViewer, []string{"ID"}, padron.CodeInvalid, "name 1"},
		{"hidden", padron.RoleViewer, []string{"id", "zip_code"}, padron.CodeForbidden, "zip_code"},
		{"hidden financial", padron.RoleAnalyst, []string{"account_number"}, padron.CodeForbidden, "account_number"},
		{"hidden id", padron.RoleAuditor, []string{"id"}, padron.CodeForbidden, "may not see id"},
		{"unknown role", "root", []string{"id"}, padron.CodeForbidden, "root"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := p.Select(tt.role, tt.names)
			var e *padron.Error
			if !errors.As(err, &e) || e.Code != tt.code || e.Field != "fields" || !strings.Contains(e.Message, tt.says) {
				t.Errorf("got %v", err)
			}
			if strings.Contains(err.Error(), "Grace") {
				t.Error("the error quotes what the caller sent")
			}
			if d != (padron.Disclosures{}) {
				t.Error("a refused selection discloses something")
			}
		})
	}
}

// What a role selects is never more than what it sees.
func TestSelectNeverWidens(t *testing.T) {
	p := builtin(t)
	for _, role := range padron.Roles() {
		all := p.Disclosures(role)
		for _, f := range padron.Fields() {
			d, err := p.Select(role, []string{f.String()})
			if (err == nil) != (all[f] != padron.Hidden) {
				t.Errorf("%s selects %s: %v", role, f, err)
			}
			for g, how := range d {
				if how > all[g] || how != padron.Hidden && padron.Field(g) != f && padron.Field(g) != padron.FieldID {
					t.Errorf("%s selects %s and sees %s", role, f, padron.Field(g))
				}
			}
		}
	}
}

func TestRevealableIsACopy(t *testing.T) {
	p := builtin(t)
	p.Revealable(padron.RoleAdmin)[0] = padron.FieldAddress
	want := []padron.Field{padron.FieldCardNumber, padron.FieldAccountNumber}
	if diff := cmp.Diff(want, p.Revealable(padron.RoleAdmin)); diff != "" {
		t.Error(diff)
	}
}

func TestExplain(t *testing.T) {
	p := builtin(t)
	tests := []struct {
		role  padron.Role
		field padron.Field
		want  string
	}{
		{padron.RoleAdmin, padron.FieldCardNumber, `role admin, field card_number: masked
  view: forbidden by financial-stays-masked
  view_masked: permitted by admin-sees-every-field
  reveal: permitted by admin-reveals-financial`},
		{padron.RoleAnalyst, padron.FieldAddress, `role analyst, field address: full
  view: permitted by contact-fields
  view_masked: denied, no policy permits it
  reveal: denied, no policy permits it`},
		{padron.RoleViewer, padron.FieldZipCode, `role viewer, field zip_code: hidden
  view: denied, no policy permits it
  view_masked: denied, no policy permits it
  reveal: denied, no policy permits it`},
		{"root", padron.FieldID, `role "root" does not see id: no such role or field`},
		{padron.RoleAdmin, padron.FieldNone, `role "admin" does not see record: no such role or field`},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, p.Explain(tt.role, tt.field)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestPoliciesRefused(t *testing.T) {
	tests := []struct{ name, document, says string }{
		{"syntax", `permit (principal`, "parse policies.cedar"},
		{"no id", "\npermit (principal, action, resource);", "policies.cedar:2"},
		{"id twice", `@id("a") permit (principal, action, resource); @id("a") permit (principal, action, resource);`, "@id"},
		{"mask without form", `@id("a") permit (principal, action == Action::"view_masked", resource == Field::"address");`, "no masked form"},
		{"failing forbid", `@id("a") permit (principal, action, resource); @id("b") forbid (principal, action, resource) when { resource.secret };`, "policy b fails"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set, err := parsePolicies([]byte(tt.document))
			if err == nil {
				_, err = newPolicy(set)
			}
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want an error that says %q", err, tt.says)
			}
		})
	}
}
