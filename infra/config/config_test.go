package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"padron/infra/config"
)

// write puts a file of the text beside nothing else and returns its folder.
func write(t *testing.T, name, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func sampleText(t *testing.T, replacements ...string) string {
	t.Helper()
	text, err := os.ReadFile("prod.yaml")
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.NewReplacer(replacements...).Replace(string(text))
	if len(replacements) > 0 && changed == string(text) {
		t.Fatalf("prod.yaml has no %q to replace", replacements[0])
	}
	return changed
}

func TestEnvironmentsAreValid(t *testing.T) {
	all, err := config.All(".")
	if err != nil {
		t.Fatal(err)
	}
	accounts := map[string]string{}
	for _, e := range all {
		if got, want := e.Prefix(), "padron-"+e.Name; got != want {
			t.Errorf("%s: names begin with %q, want %q", e.Name, got, want)
		}
		if other, taken := accounts[e.Account]; taken {
			t.Errorf("%s and %s share an account: settings such as the registry's scanning are the account's only one", other, e.Name)
		}
		accounts[e.Account] = e.Name
	}
	for _, name := range []string{"dev", "prod"} {
		if !slices.ContainsFunc(all, func(e *config.Environment) bool { return e.Name == name }) {
			t.Errorf("there is no environment %s", name)
		}
	}
}

func TestLoadFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		dir  string
		want string
	}{
		"an unknown field":    {write(t, "prod", sampleText(t, "  nats: 2", "  nat_gateways: 2")), "nat_gateways"},
		"a text for a number": {write(t, "prod", sampleText(t, "  nats: 2", "  nats: two")), "nats: two"},
		"another name":        {write(t, "prod", sampleText(t, "name: prod", "name: live")), `name: is "live" in the file prod.yaml: they must be equal`},
		"no YAML":             {write(t, "prod", "name: [prod"), "prod.yaml"},
		"an account that is a number": {
			write(t, "prod", sampleText(t, `account: "444455556666"`, "account: 044455556666")), "account: "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := config.Load(tt.dir, "prod")
			var faults config.Faults
			if !errors.As(err, &faults) || len(faults) == 0 {
				t.Fatalf("error is %v, want faults", err)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %q, want one with %q", err, tt.want)
			}
		})
	}
}

func TestLoadWithoutAFile(t *testing.T) {
	_, err := config.Load(t.TempDir(), "test")
	if err == nil || !strings.Contains(err.Error(), `no environment "test"`) || !strings.Contains(err.Error(), "copy dev.yaml to it") {
		t.Errorf("error is %v, want what to do", err)
	}
}

// TestAllTellsOfEveryEnvironment holds that a fault in one file does not hide
// those in another.
func TestAllTellsOfEveryEnvironment(t *testing.T) {
	dir := write(t, "one", sampleText(t, "name: prod", "name: one", "nats: 2", "nats: 7"))
	two := sampleText(t, "name: prod", "name: two", "readers: 1", "readers: 9")
	if err := os.WriteFile(filepath.Join(dir, "two.yaml"), []byte(two), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := config.All(dir)
	if err == nil {
		t.Fatal("no error")
	}
	want := "one.yaml:\nnetwork.nats: 7 is neither 1 nor one for each of the 2 zones\n" +
		"two.yaml:\ndatabase.readers: 9 is not from 0 to 1"
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

// TestNoSecretInAnEnvironment holds that the configuration has no place to put
// one: a field named like one would be asked for.
func TestNoSecretInAnEnvironment(t *testing.T) {
	for _, name := range []string{"dev", "prod"} {
		text, err := os.ReadFile(name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(strings.ToLower(string(text)), "\n") {
			field, _, _ := strings.Cut(line, ":")
			for _, word := range []string{"password", "secret", "api_key", "token"} {
				if strings.Contains(field, word) && !strings.HasPrefix(field, "#") {
					t.Errorf("%s.yaml has a field %q", name, strings.TrimSpace(field))
				}
			}
		}
	}
}
