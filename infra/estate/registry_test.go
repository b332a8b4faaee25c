package estate_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const typeRepository = "AWS::ECR::Repository"

func TestRepositories(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		var got []string
		for _, r := range e.Resources(typeRepository) {
			got = append(got, r.Text("RepositoryName"))
		}
		want := []string{e.env.Prefix() + "-customers-mngr", e.env.Prefix() + "-padron", e.env.Prefix() + "-synchronizer"}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("repositories (-want +got):\n%s", diff)
		}
	})
}

// TestImagesExpire holds what is deleted: what has no tag after a week, and the
// oldest where there are more than a hundred.
func TestImagesExpire(t *testing.T) {
	type rule struct {
		Priority    int `json:"rulePriority"`
		Description string
		Selection   struct {
			TagStatus   string `json:"tagStatus"`
			CountType   string `json:"countType"`
			CountNumber int    `json:"countNumber"`
			CountUnit   string `json:"countUnit"`
		}
		Action struct{ Type string }
	}
	eachEnvironment(t, func(t *testing.T, e environment) {
		for _, r := range e.Resources(typeRepository) {
			var policy struct{ Rules []rule }
			if err := json.Unmarshal([]byte(r.Text("LifecyclePolicy", "LifecyclePolicyText")), &policy); err != nil {
				t.Fatalf("%s: %v", r, err)
			}
			var got []string
			for _, x := range policy.Rules {
				text, err := json.Marshal([]any{x.Priority, x.Selection.TagStatus, x.Selection.CountType, x.Selection.CountNumber, x.Selection.CountUnit, x.Action.Type})
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, string(text))
			}
			want := []string{`[1,"untagged","sinceImagePushed",7,"days","expire"]`, `[2,"any","imageCountMoreThan",100,"","expire"]`}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", r, diff)
			}
		}
	})
}

// TestImagesOutliveTheirStack holds that protected images stay and others go
// with their repository, full or not.
func TestImagesOutliveTheirStack(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, e environment) {
		for _, r := range e.Resources(typeRepository) {
			if r.Bool("EmptyOnDelete") == e.env.Protected || (r.Body["DeletionPolicy"] == "Retain") != e.env.Protected {
				t.Errorf("%s: EmptyOnDelete %v and DeletionPolicy %v for protected %v", r, r.Get("EmptyOnDelete"), r.Body["DeletionPolicy"], e.env.Protected)
			}
		}
	})
}
