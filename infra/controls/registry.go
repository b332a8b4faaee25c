package controls

import (
	"fmt"
	"slices"
	"strings"

	"padron/infra/cfn"
)

const (
	typeRepository = "AWS::ECR::Repository"
	typeScanning   = "AWS::ECR::RegistryScanningConfiguration"
)

func registryControls() []Control {
	return []Control{
		{
			ID: "registry.immutable", What: "an image's tag always means the same image",
			PCI: []string{"6.5.1", "11.5.2"}, NIST: []string{"CM-2", "SI-7"},
			Check:  every(typeRepository, is("IMMUTABLE", "ImageTagMutability")),
			Remove: set(typeRepository, "ImageTagMutability", "MUTABLE"),
		},
		{
			ID: "registry.encrypted", What: "images are encrypted with the registry's key",
			NIST:   []string{"SC-28"},
			Check:  every(typeRepository, keyIs("registry", "EncryptionConfiguration", "KmsKey")),
			Remove: set(typeRepository, "EncryptionConfiguration", map[string]any{"EncryptionType": "AES256"}),
		},
		{
			ID: "registry.scanned-on-push", What: "an image is looked through for vulnerabilities when it is pushed",
			PCI: []string{"6.3.1", "11.3.1"}, NIST: []string{"RA-5"},
			Check:  every(typeRepository, is("true", "ImageScanningConfiguration", "ScanOnPush")),
			Remove: set(typeRepository, "ImageScanningConfiguration", map[string]any{"ScanOnPush": false}),
		},
		{
			ID: "registry.scanned-continuously", What: "kept images are looked through again with each new vulnerability",
			PCI: []string{"6.3.1", "11.3.1"}, NIST: []string{"RA-5", "SI-2"},
			Check: every(typeScanning, func(r *cfn.Resource) string {
				prefix := strings.TrimSuffix(r.Text("Rules", "0", "RepositoryFilters", "0", "Filter"), "*")
				if r.Text("ScanType") != "ENHANCED" || r.Text("Rules", "0", "ScanFrequency") != "CONTINUOUS_SCAN" {
					return "is not enhanced and continuous"
				}
				for _, repository := range r.Stack.Resources {
					if name := repository.Text("RepositoryName"); repository.Type == typeRepository && !strings.HasPrefix(name, prefix) {
						return name + " is not among what is scanned"
					}
				}
				return ""
			}),
			Remove: set(typeScanning, "ScanType", "BASIC"),
		},
		{
			ID: "registry.cleaned", What: "old images go, so that nobody runs them again",
			PCI: []string{"6.3.3"}, NIST: []string{"CM-7", "SI-2"},
			Check: every(typeRepository, func(r *cfn.Resource) string {
				if !strings.Contains(r.Text("LifecyclePolicy", "LifecyclePolicyText"), `"expire"`) {
					return "nothing expires"
				}
				return ""
			}),
			Remove: set(typeRepository, "LifecyclePolicy", nil),
		},
		{
			ID: "registry.own-image-only", What: "what starts a task pulls that task's image and no other of the estate's",
			PCI: []string{"7.2.5"}, NIST: []string{"AC-6"},
			Check:  ownImageOnly,
			Remove: alsoTo("ManagerPull", "synchronizer-execution"),
		},
	}
}

// ownImageOnly checks who pulls from the estate's repositories.
func ownImageOnly(e *Estate) []string {
	want := map[string]string{
		"synchronizer-execution":   "synchronizer",
		"customers-mngr-execution": "customers-mngr",
		"migration-execution":      "padron",
	}
	var wrong []string
	pulled := map[string]bool{}
	for _, r := range e.Resources(typeRepository) {
		arn := cfn.Reference{Resource: r, Attribute: "Arn"}.String()
		for _, p := range permissions(e, "ecr:BatchGetImage") {
			if !slices.Contains(p.resources, arn) && !slices.Contains(p.resources, "*") {
				continue
			}
			if pulled[p.role.Path()] = true; want[p.role.Path()] != r.Path() {
				wrong = append(wrong, fmt.Sprintf("%s pulls from %s", p.role.Path(), r))
			}
		}
	}
	for role := range want {
		if !pulled[role] {
			wrong = append(wrong, role+" pulls nothing")
		}
	}
	slices.Sort(wrong)
	return wrong
}
