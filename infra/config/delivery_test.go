package config_test

import (
	"testing"

	"padron/infra/config"
)

func TestSubject(t *testing.T) {
	named := config.Delivery{Repository: "example/padron", GitHubEnvironment: "production"}
	numbered := named
	numbered.OwnerID, numbered.RepositoryID = "1001", "2002"
	for _, tt := range []struct{ name, got, want string }{
		{"by name", named.Subject("production"), "repo:example/padron:environment:production"},
		{"by immutable number", numbered.Subject("production"), "repo:example@1001/padron@2002:environment:production"},
		{"to plan", named.Subject(named.PlanEnvironment()), "repo:example/padron:environment:production-plan"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: subject is %q, want %q", tt.name, tt.got, tt.want)
		}
	}
}
