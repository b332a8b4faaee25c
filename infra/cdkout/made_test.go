package cdkout

import "testing"

// TestMade: templates are fresh until one is changed; what stands beside them
// does not matter.
func TestMade(t *testing.T) {
	for name, tt := range map[string]struct {
		file string
		want bool
	}{
		"nothing":                  {"", true},
		"a template, by hand":      {"cdk.out/dev/keys.template.json", false},
		"a template more":          {"cdk.out/dev/extra.template.json", false},
		"an asset, by hand":        {"cdk.out/dev/asset.0123/index.js", false},
		"another test's templates": {"cdk.out/variants/x/dev/keys.template.json", true},
		"the cdk command's lock":   {"cdk.out/dev/read.1.lock", true},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for _, f := range []string{"go.mod", "go.sum", "cdk.json", "config/dev.yaml", "cdk.out/dev/keys.template.json", "cdk.out/dev/asset.0123/index.js"} {
				write(t, root, f, "before")
			}
			sum, err := Sum(root)
			if err != nil {
				t.Fatal(err)
			}
			if err := Mark(root, sum); err != nil {
				t.Fatal(err)
			}
			if tt.file != "" {
				write(t, root, tt.file, "after")
			}
			got, err := Fresh(root)
			if err != nil || got != tt.want {
				t.Errorf("fresh is %v, %v, want %v", got, err, tt.want)
			}
		})
	}
}
