package controls

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"padron/infra/cfn"
	"padron/infra/config"
)

const (
	typeTask         = "AWS::ECS::TaskDefinition"
	typeTaskService  = "AWS::ECS::Service"
	typeTaskCluster  = "AWS::ECS::Cluster"
	typeScaling      = "AWS::ApplicationAutoScaling::ScalingPolicy"
	typeScaledTarget = "AWS::ApplicationAutoScaling::ScalableTarget"
)

func blueGreen(env *config.Environment) bool { return env.Manager.Deployment == "blue-green" }
func rolling(env *config.Environment) bool   { return !blueGreen(env) }

func servicesControls() []Control {
	return slices.Concat(containerControls(), contentControls(), serviceControls(), keepingControls(), deploymentControls(), runControls(), startControls())
}

func containerControls() []Control {
	return []Control{
		{
			ID: "services.not-root", What: "no container runs as root",
			PCI: []string{"2.2.6", "7.2.2"}, NIST: []string{"AC-6", "CM-7"},
			Check:  everyContainer(func(c container) string { return c.want("65532:65532", "User") }),
			Remove: inContainers("User", "0"),
		},
		{
			ID: "services.read-only", What: "no container can write to its root file system",
			PCI: []string{"2.2.6", "11.5.2"}, NIST: []string{"CM-7", "SI-7"},
			Check:  everyContainer(func(c container) string { return c.want("true", "ReadonlyRootFilesystem") }),
			Remove: inContainers("ReadonlyRootFilesystem", false),
		},
		{
			ID: "services.no-capabilities", What: "containers have none of the kernel's capabilities and no privileges",
			PCI: []string{"2.2.6"}, NIST: []string{"AC-6", "CM-7"},
			Check: everyContainer(func(c container) string {
				if c["Privileged"] == true || !strings.Contains(fmt.Sprint(c["LinuxParameters"]), "Drop:[ALL]") {
					return "capabilities are not all dropped"
				}
				return ""
			}),
			Remove: inContainers("LinuxParameters", nil),
		},
	}
}

func contentControls() []Control {
	return []Control{
		{
			ID: "services.images-by-digest", What: "what runs is the image that was scanned, named by its digest",
			PCI: []string{"6.3.2", "6.5.1"}, NIST: []string{"CM-5", "SI-7"},
			Check: everyContainer(func(c container) string {
				if image := fmt.Sprint(c["Image"]); !byDigest.MatchString(image) {
					return "the image " + image + " has no digest"
				}
				return ""
			}),
			Remove: inContainers("Image", "padron:latest"),
		},
		{
			ID: "services.logged", What: "every container's output is kept, and a slow log stops no program",
			PCI: []string{"10.2.1"}, NIST: []string{"AU-2", "AU-12"},
			Check: everyContainer(func(c container) string {
				log, _ := c["LogConfiguration"].(map[string]any)
				options, _ := log["Options"].(map[string]any)
				if group := cfn.Target(options["awslogs-group"]); group == nil || options["mode"] != "non-blocking" {
					return "does not log to a group of the estate without blocking"
				}
				return ""
			}),
			Remove: inContainers("LogConfiguration", nil),
		},
		{
			ID: "services.no-secrets-in-variables", What: "no secret stands in a container's environment",
			PCI: []string{"8.3.2", "8.6.2"}, NIST: []string{"IA-5", "SC-28"},
			Check: everyContainer(openSecrets),
			Remove: func(e *Estate) int {
				return changeContainers(e, func(c map[string]any) {
					variables, _ := c["Environment"].([]any)
					c["Environment"] = append(variables, map[string]any{"Name": "PADRON_PROVIDER_API_KEY", "Value": "sample"})
				})
			},
		},
		{
			ID: "services.own-roles", What: "each task has a role of its own, and another one starts it",
			PCI: []string{"7.2.2", "7.2.5"}, NIST: []string{"AC-6"},
			Check:  ownRoles,
			Remove: oneRole,
		},
	}
}

var byDigest = regexp.MustCompile(`@sha256:[0-9a-f]{64}$`)

// container is one container of a task definition, resolved.
type container map[string]any

func (c container) want(want, property string) string {
	if got := fmt.Sprint(c[property]); got != want {
		return fmt.Sprintf("%s is %q, want %q", property, got, want)
	}
	return ""
}

// everyContainer checks all containers, at least one of each task definition.
func everyContainer(wrong func(container) string) func(*Estate) []string {
	return every(typeTask, func(r *cfn.Resource) string {
		all := r.List("ContainerDefinitions")
		if len(all) == 0 {
			return "has no container"
		}
		for _, v := range all {
			c, _ := v.(map[string]any)
			if w := wrong(c); w != "" {
				return fmt.Sprintf("container %v: %s", c["Name"], w)
			}
		}
		return ""
	})
}

// changeContainers changes all containers as they are in the templates.
func changeContainers(e *Estate, change func(map[string]any)) int {
	n := 0
	for _, r := range e.Resources(typeTask) {
		for _, c := range objects(r.Properties["ContainerDefinitions"]) {
			change(c)
			n++
		}
	}
	return n
}

// inContainers returns a Remove that sets a property of all containers; nil
// deletes it.
func inContainers(property string, value any) func(*Estate) int {
	return func(e *Estate) int {
		return changeContainers(e, func(c map[string]any) {
			if c[property] = value; value == nil {
				delete(c, property)
			}
		})
	}
}

// openSecrets finds variables that bear a secret's name and a value. The ARN of
// a secret is none.
func openSecrets(c container) string {
	for _, v := range objects(c["Environment"]) {
		name, value := fmt.Sprint(v["Name"]), fmt.Sprint(v["Value"])
		secret := strings.HasSuffix(name, "_KEY") || strings.Contains(name, "SECRET") || strings.Contains(name, "PASSWORD")
		if _, reference := v["Value"].(cfn.Reference); secret && !reference && !strings.HasPrefix(value, "${") {
			return name + " has a value in the template"
		}
	}
	return ""
}

func ownRoles(e *Estate) []string {
	var wrong []string
	user := map[string]string{}
	for _, r := range e.Resources(typeTask) {
		for _, property := range []string{"TaskRoleArn", "ExecutionRoleArn"} {
			role := r.Target(property)
			if role == nil {
				wrong = append(wrong, fmt.Sprintf("%s: %s is no role of the estate", r, property))
				continue
			}
			if other, taken := user[role.String()]; taken {
				wrong = append(wrong, fmt.Sprintf("%s: %s is that of %s too", r, role, other))
			}
			user[role.String()] = r.String()
		}
	}
	if len(user) == 0 {
		wrong = append(wrong, "there is no task")
	}
	return wrong
}

// oneRole has every task started by its own role.
func oneRole(e *Estate) int {
	found := e.Resources(typeTask)
	for _, r := range found {
		r.Properties["ExecutionRoleArn"] = r.Properties["TaskRoleArn"]
	}
	return len(found)
}
