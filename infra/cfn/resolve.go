package cfn

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Reference is a value that is known only after deployment: an attribute of a
// resource, "" for what Ref answers.
type Reference struct {
	Resource  *Resource
	Attribute string
}

// String is the reference as it stands inside texts: ${stack.LogicalID} or
// ${stack.LogicalID.Attribute}.
func (r Reference) String() string {
	s := "${" + r.Resource.Stack.Name + "." + r.Resource.LogicalID
	if r.Attribute != "" {
		s += "." + r.Attribute
	}
	return s + "}"
}

// Path is the construct path without stack and the last default child, such as
// Vpc/privateSubnet1/Subnet; the logical id where there is no path.
func (r *Resource) Path() string {
	metadata, _ := r.Body["Metadata"].(map[string]any)
	path, _ := metadata["aws:cdk:path"].(string)
	_, path, _ = strings.Cut(path, "/")
	path = strings.TrimSuffix(path, "/Resource")
	if path == "" {
		return r.LogicalID
	}
	return path
}

// String is stack/path: how findings name a resource.
func (r *Resource) String() string { return r.Stack.Name + "/" + r.Path() }

// Get returns the property at the path of names, resolved: string, float64,
// bool, []any, map[string]any, [Reference], or nil where there is none. A text
// that holds references has them as [Reference.String].
func (r *Resource) Get(path ...string) any {
	var v any = r.Properties
	for _, name := range path {
		switch at := r.Stack.Resolve(v).(type) {
		case map[string]any:
			v = at[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(at) {
				return nil
			}
			v = at[i]
		default:
			return nil
		}
	}
	return r.Stack.Resolve(v)
}

// Text is Get as text: "" where there is none, numbers and references as they
// are written.
func (r *Resource) Text(path ...string) string { return text(r.Get(path...)) }

// Bool is Get as a truth: CloudFormation takes "true" for true.
func (r *Resource) Bool(path ...string) bool { return r.Text(path...) == "true" }

// List is Get as a list: nil where it is none.
func (r *Resource) List(path ...string) []any {
	l, _ := r.Get(path...).([]any)
	return l
}

// Target returns the resource that the property refers to, nil where it refers
// to none.
func (r *Resource) Target(path ...string) *Resource { return Target(r.Get(path...)) }

// Target returns the resource behind a resolved value: a [Reference], or a text
// that is one reference alone.
func Target(v any) *Resource {
	if ref, ok := v.(Reference); ok {
		return ref.Resource
	}
	return nil
}

// Targets returns the resources behind a resolved list, without those values
// that refer to none.
func Targets(v any) []*Resource {
	l, _ := v.([]any)
	var found []*Resource
	for _, x := range l {
		if t := Target(x); t != nil {
			found = append(found, t)
		}
	}
	return found
}

// Resolve replaces every function in v by its value: pseudo parameters, Ref,
// Fn::GetAtt, Fn::ImportValue, Fn::GetStackOutput, Fn::Join, Fn::Sub, Fn::Select,
// Fn::Split. What it does not know stays as it is.
func (s *Stack) Resolve(v any) any {
	switch v := v.(type) {
	case []any:
		l := make([]any, len(v))
		for i, x := range v {
			l[i] = s.Resolve(x)
		}
		return l
	case map[string]any:
		if len(v) == 1 {
			for name, arg := range v {
				if known, ok := s.function(name, arg); ok {
					return known
				}
			}
		}
		m := make(map[string]any, len(v))
		for k, x := range v {
			m[k] = s.Resolve(x)
		}
		return m
	}
	return v
}

func (s *Stack) function(name string, arg any) (any, bool) {
	switch name {
	case "Ref":
		id, _ := arg.(string)
		return s.ref(id), true
	case "Fn::GetAtt":
		return s.attribute(arg)
	case "Fn::ImportValue":
		export, ok := s.Resolve(arg).(string)
		return s.assembly.export(export), ok
	case "Fn::GetStackOutput":
		return s.assembly.output(arg)
	case "Fn::Join":
		return s.join(arg)
	case "Fn::Sub":
		return s.sub(arg)
	case "Fn::Split":
		l, _ := s.Resolve(arg).([]any)
		if len(l) != 2 {
			return nil, false
		}
		return split(text(l[1]), text(l[0])), true
	case "Fn::Select":
		return s.choose(arg)
	}
	return nil, false
}

func split(value, separator string) []any {
	var parts []any
	for p := range strings.SplitSeq(value, separator) {
		parts = append(parts, p)
	}
	return parts
}

func (s *Stack) ref(id string) any {
	switch id {
	case "AWS::Region":
		return s.Region
	case "AWS::AccountId":
		return s.Account
	case "AWS::Partition":
		return "aws"
	case "AWS::URLSuffix":
		return "amazonaws.com"
	case "AWS::StackName":
		return s.StackName
	case "AWS::NoValue":
		return nil
	}
	if r, ok := s.Resources[id]; ok {
		return Reference{Resource: r}
	}
	return "${" + s.Name + "." + id + "}"
}

func (s *Stack) attribute(arg any) (any, bool) {
	var parts []string
	switch arg := arg.(type) {
	case string:
		parts = strings.SplitN(arg, ".", 2)
	case []any:
		for _, x := range arg {
			parts = append(parts, text(x))
		}
	}
	if len(parts) != 2 {
		return nil, false
	}
	if r, ok := s.Resources[parts[0]]; ok {
		return Reference{r, parts[1]}, true
	}
	return "${" + s.Name + "." + strings.Join(parts, ".") + "}", true
}

// export returns the value that some stack exports under the name.
func (a *Assembly) export(name string) any {
	for _, s := range a.Stacks {
		outputs, _ := s.Template["Outputs"].(map[string]any)
		for _, v := range outputs {
			output, _ := v.(map[string]any)
			export, _ := output["Export"].(map[string]any)
			if export != nil && text(s.Resolve(export["Name"])) == name {
				return s.Resolve(output["Value"])
			}
		}
	}
	return "${export " + name + "}"
}

// output returns what Fn::GetStackOutput asks for: an output of a stack of the
// assembly, in whatever region.
func (a *Assembly) output(arg any) (any, bool) {
	asked, _ := arg.(map[string]any)
	for _, s := range a.Stacks {
		outputs, _ := s.Template["Outputs"].(map[string]any)
		if output, ok := outputs[text(asked["OutputName"])].(map[string]any); ok && s.StackName == asked["StackName"] {
			return s.Resolve(output["Value"]), true
		}
	}
	return nil, false
}

func (s *Stack) join(arg any) (any, bool) {
	l, _ := arg.([]any)
	if len(l) != 2 {
		return nil, false
	}
	parts, ok := s.Resolve(l[1]).([]any)
	if !ok {
		return nil, false
	}
	texts := make([]string, len(parts))
	for i, p := range parts {
		texts[i] = text(p)
	}
	return strings.Join(texts, text(l[0])), true
}

func (s *Stack) choose(arg any) (any, bool) {
	l, _ := s.Resolve(arg).([]any)
	if len(l) != 2 {
		return nil, false
	}
	list, ok := l[1].([]any)
	i, err := strconv.Atoi(text(l[0]))
	if !ok || err != nil || i < 0 || i >= len(list) {
		return nil, false
	}
	return list[i], true
}

var placeholder = regexp.MustCompile(`\$\{[^!}][^}]*\}`)

func (s *Stack) sub(arg any) (any, bool) {
	template, ok := arg.(string)
	var values map[string]any
	if l, isList := arg.([]any); isList && len(l) == 2 {
		template, ok = l[0].(string)
		values, _ = l[1].(map[string]any)
	}
	if !ok {
		return nil, false
	}
	return placeholder.ReplaceAllStringFunc(template, func(m string) string {
		name := m[2 : len(m)-1]
		if v, ok := values[name]; ok {
			return text(s.Resolve(v))
		}
		if strings.Contains(name, ".") {
			v, _ := s.attribute(name)
			return text(v)
		}
		return text(s.ref(name))
	}), true
}

func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}
