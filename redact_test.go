package padron_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"padron"
)

// nested holds a T in every way in which a value can be held.
type nested[T any] struct {
	Value   T
	Pointer *T
	Slice   []T
	Array   [1]T
	Map     map[string]T
	Any     any
	Deep    struct{ Pointers []*T }
}

// boxed is what a test prints: a value alone and nested.
func boxed[T any]() any { return &nested[T]{} }

// personal are the types that hold something personal or secret.
var personal = map[string]func() any{
	"Sensitive":       boxed[padron.Sensitive],
	"Customer":        boxed[padron.Customer],
	"Personal":        boxed[padron.Personal],
	"Financial":       boxed[padron.Financial],
	"Record":          boxed[padron.Record],
	"Value":           boxed[padron.Value],
	"BlindIndex":      boxed[padron.BlindIndex],
	"Fingerprint":     boxed[padron.Fingerprint],
	"Known":           boxed[padron.Known],
	"SealedCustomer":  boxed[padron.SealedCustomer],
	"Batch":           boxed[padron.Batch],
	"Rejected":        boxed[padron.Rejected],
	"QuarantineEntry": boxed[padron.QuarantineEntry],
	"DataKey":         boxed[padron.DataKey],
	"Token":           boxed[padron.Token],
}

// harmless are the types that hold neither, or whose bytes are public: counts,
// names, ids, and the audit log's hashes. Profile is stored in clear. View has
// a test of its own.
var harmless = []string{
	"AuditEntry", "AuditFilter", "AuditHead", "Checkpoint", "Drift", "Error", "Filter", "Lease", "Part", "PartRef", "PartState", "Plan", "Principal", "Profile", "Run", "View",
}

// TestEveryTypeIsPlaced: whoever adds a struct says whether it is personal.
func TestEveryTypeIsPlaced(t *testing.T) {
	placed := map[string]bool{}
	for name := range personal {
		placed[name] = true
	}
	for _, name := range harmless {
		placed[name] = true
	}
	for _, name := range exportedStructs(t) {
		if !placed[name] {
			t.Errorf("type %s is new: put it into personal or harmless, in redact_test.go", name)
		}
	}
}

func exportedStructs(t *testing.T) (names []string) {
	t.Helper()
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if name := file.Name(); !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for n := range ast.Preorder(tree) {
			if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.IsExported() {
				if _, ok := spec.Type.(*ast.StructType); ok {
					names = append(names, spec.Name.Name)
				}
			}
		}
	}
	if len(names) < 10 {
		t.Fatalf("found only %v", names)
	}
	return names
}

// secrets are the fields with secret bytes, by type; of the named types every
// value is secret.
var secrets = map[reflect.Type]string{
	reflect.TypeFor[padron.DataKey](): "Wrapped",
	reflect.TypeFor[padron.Token]():   "Hash",
}

var secretTypes = []reflect.Type{
	reflect.TypeFor[padron.Sensitive](), reflect.TypeFor[padron.BlindIndex](), reflect.TypeFor[padron.Fingerprint](),
}

// fill writes a secret into every secret place of v, in place where it can, so
// that v prints the same addresses as before. It returns how many there are.
func fill(v reflect.Value, secret byte) (n int) {
	for _, s := range secretTypes {
		if v.Type() == s {
			return fillBytes(v, secret)
		}
	}
	switch v.Kind() {
	case reflect.Struct:
		n = fillStruct(v, secret)
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		n = fill(v.Elem(), secret)
	case reflect.Slice:
		if v.IsNil() {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		}
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			n += fill(v.Index(i), secret)
		}
	case reflect.Map:
		elem := reflect.New(v.Type().Elem()).Elem()
		if n = fill(elem, secret); n > 0 {
			m := reflect.MakeMap(v.Type())
			m.SetMapIndex(reflect.Zero(v.Type().Key()), elem)
			v.Set(m)
		}
	}
	return n
}

func fillStruct(v reflect.Value, secret byte) (n int) {
	for i := range v.NumField() {
		switch f := v.Type().Field(i); {
		case !f.IsExported() || f.Type == reflect.TypeFor[padron.Sealed]():
		case secrets[v.Type()] == f.Name:
			n += fillBytes(v.Field(i), secret)
		case f.Name == "Any":
			v.Field(i).Set(v.FieldByName("Value"))
		default:
			n += fill(v.Field(i), secret)
		}
	}
	return n
}

func fillBytes(v reflect.Value, secret byte) int {
	switch v.Kind() {
	case reflect.String:
		v.SetString(strings.Repeat(string(secret), 12))
	case reflect.Slice:
		v.SetBytes(bytes.Repeat([]byte{secret}, 12))
	case reflect.Array:
		for i := range v.Len() {
			v.Index(i).SetUint(uint64(secret))
		}
	}
	return 1
}

// formats are every verb but %T, %p and %w (see [padron.Sensitive]), and flags.
func formats() []string {
	out := []string{"%+v", "%#v", "% x", "%#x", "% X", "%#q", "%+q", "%-20s", "%5.3s", "%08d", "%+d", "%#U", "%!"}
	for c := 'a'; c <= 'z'; c++ {
		if c != 'p' && c != 'w' {
			out = append(out, "%"+string(c))
		}
		if c != 't' {
			out = append(out, "%"+strings.ToUpper(string(c)))
		}
	}
	return out
}

// prints is v in every way in which a careless line may print it.
func prints(t *testing.T, v any) map[string]string {
	t.Helper()
	out := map[string]string{
		"Sprint": fmt.Sprint(v), "Sprintln": fmt.Sprintln(v), "too many arguments": fmt.Sprintf("x%[2]v", 1, v),
		"wrapped":    fmt.Errorf("cannot store %v: %w", v, errors.New("disk full")).Error(),
		"wrapped +v": fmt.Sprintf("%+v", fmt.Errorf("cannot store %+v: %w", v, errors.New("disk full"))),
		"Errorf":     padron.Errorf(padron.CodeInternal, "customer %v", v).Error(),
		"Invalid":    padron.Invalid("customer", "%#v", v).Message,
	}
	for _, format := range formats() {
		out[format] = fmt.Sprintf(format, v)
	}
	encoded, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out["JSON"] = string(encoded)
	for name, attr := range map[string]slog.Attr{"any": slog.Any("v", v), "group": slog.Group("g", "v", v)} {
		var text, asJSON bytes.Buffer
		drop := &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey && groups == nil {
				return slog.Attr{}
			}
			return a
		}}
		slog.New(slog.NewTextHandler(&text, drop)).Info("m", attr)
		slog.New(slog.NewJSONHandler(&asJSON, drop)).Info("m", attr)
		out["slog text "+name], out["slog JSON "+name] = text.String(), asJSON.String()
	}
	return out
}

// TestNothingPersonalIsPrinted prints every personal type with one secret and
// with another: what differs is a leak, whatever its form.
func TestNothingPersonalIsPrinted(t *testing.T) {
	for name, box := range personal {
		t.Run(name, func(t *testing.T) {
			v := box()
			all := reflect.ValueOf(v).Elem()
			if n := fill(all, 'A'); n == 0 && name != "Rejected" && name != "QuarantineEntry" {
				t.Fatal("nothing secret in it")
			}
			views := map[string]any{"nested": all.Interface(), "pointer to nested": v}
			for i := range all.NumField() {
				if all.Field(i).Kind() == reflect.Func {
					continue // it has no form
				}
				views[all.Type().Field(i).Name] = all.Field(i).Interface()
			}
			first := map[string]map[string]string{}
			for view, value := range views {
				first[view] = prints(t, value)
			}
			fill(all, 'Z')
			views["nested"] = all.Interface()
			for i := range all.NumField() {
				views[all.Type().Field(i).Name] = all.Field(i).Interface()
			}
			for view, value := range views {
				if diff := cmp.Diff(first[view], prints(t, value)); diff != "" {
					t.Errorf("%s: what is printed depends on the secret:\n%s", view, diff)
				}
			}
		})
	}
}

// TestLeaksAreFound proves the test above: it sees what a plain string prints.
func TestLeaksAreFound(t *testing.T) {
	type leaky struct{ Name, Other string }
	before := prints(t, leaky{Name: "AAAA"})
	after := prints(t, leaky{Name: "ZZZZ"})
	for how, text := range before {
		if how != "%!" && !strings.Contains(how, "5.3") && text == after[how] {
			t.Errorf("%s does not see the difference", how)
		}
	}
}

// TestSealedIsShort: ciphertext is no secret, but a log is no place for it.
func TestSealedIsShort(t *testing.T) {
	sealed := padron.Sealed(strings.Repeat("A", 5000))
	for _, v := range []any{sealed, padron.Rejected{Record: sealed}, padron.QuarantineEntry{Record: sealed}} {
		for _, format := range []string{"%v", "%+v", "%x", "%s"} {
			if s := fmt.Sprintf(format, v); !strings.Contains(s, "sealed(5000 bytes)") || len(s) > 1000 {
				t.Errorf("%T prints as %.200s", v, s)
			}
		}
	}
	if data, err := json.Marshal(padron.QuarantineEntry{Record: sealed}); err != nil || len(data) > 500 {
		t.Errorf("%.300s %v", data, err)
	}
}

func TestRedactedForms(t *testing.T) {
	c := customer(t)
	s := padron.Sensitive("canary")
	marshalled, err := xml.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	for got, want := range map[string]string{
		fmt.Sprint(s):                       padron.Redacted,
		s.String():                          padron.Redacted,
		s.GoString():                        padron.Redacted,
		s.LogValue().String():               padron.Redacted,
		fmt.Sprintf("%s", &c):               "customer(7)",
		c.LogValue().String():               "customer(7)",
		fmt.Sprint(padron.Token{ID: "tk1"}): "token(tk1)",
		fmt.Sprint(padron.DataKey{ID: 9, Purpose: "x"}): "datakey(9 x)",
		string(marshalled): "<Sensitive>[redacted]</Sensitive>",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if s.Expose() != "canary" {
		t.Errorf("Expose returns %q", s.Expose())
	}
}

// TestIDsAreShown: a log without an id is of no use.
func TestIDsAreShown(t *testing.T) {
	c := customer(t)
	for v, want := range map[any]string{
		&c: `{"id":"7"}`, &padron.DataKey{ID: 1<<62 + 1}: `{"id":"4611686018427387905"}`,
	} {
		if data, err := json.Marshal(v); err != nil || string(data) != want {
			t.Errorf("%T: got %s %v, want %s", v, data, err, want)
		}
	}
}
