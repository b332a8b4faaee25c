package delivery

import (
	"encoding/json"
	"slices"
	"strings"
)

// machinery is what the estate's own machinery changes while it runs: one type
// and property for each. Same reports whether nothing else than that differs.
type machinery struct {
	typ, path string
	same      func(expected, actual any) bool
	why       string
}

var known = []machinery{
	{
		"AWS::ElasticLoadBalancingV2::ListenerRule", "/Actions", sameButWeights,
		"ECS moves the weights between the two target groups at each blue/green deployment",
	},
	{
		"AWS::RDS::DBCluster", "/EngineVersion", sameMinor,
		"RDS installs patches of the engine in the maintenance window",
	},
}

// explain takes the differences that the estate makes itself out of those of a
// resource.
func explain(typ string, all []Difference) (drift, ours []Difference) {
	for _, k := range known {
		if typ != k.typ {
			continue
		}
		mine := slices.DeleteFunc(slices.Clone(all), func(d Difference) bool { return !below(d.Path, k.path) })
		if len(mine) == 0 || !k.explains(mine) {
			continue
		}
		all = slices.DeleteFunc(slices.Clone(all), func(d Difference) bool { return below(d.Path, k.path) })
		for _, d := range mine {
			d.Why = k.why
			ours = append(ours, d)
		}
	}
	return all, ours
}

func below(path, top string) bool { return path == top || strings.HasPrefix(path, top+"/") }

// explains compares what went with what came: CloudFormation reports an item of
// a list that changed as one that is gone and one that is new, or the value
// inside alone.
func (k machinery) explains(differences []Difference) bool {
	var expected, actual []any
	for _, d := range differences {
		if strings.HasSuffix(d.Path, "/Weight") {
			continue
		}
		if d.Kind != "ADD" {
			expected = append(expected, value(d.Expected))
		}
		if d.Kind != "REMOVE" {
			actual = append(actual, value(d.Actual))
		}
	}
	return slices.EqualFunc(expected, actual, k.same)
}

// value is a property's value as CloudFormation reports it: JSON, or a plain
// text.
func value(text string) any {
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return text
	}
	return v
}

// sameButWeights compares actions without the weights of their target groups.
func sameButWeights(expected, actual any) bool {
	return hashOf(weightless(expected)) == hashOf(weightless(actual))
}

func weightless(v any) any {
	switch v := v.(type) {
	case []any:
		all := make([]any, len(v))
		for i, x := range v {
			all[i] = weightless(x)
		}
		return all
	case map[string]any:
		all := map[string]any{}
		for name, x := range v {
			if name != "Weight" {
				all[name] = weightless(x)
			}
		}
		return all
	}
	return v
}

// sameMinor reports whether two engine versions differ in the patch alone:
// 8.0.mysql_aurora.3.10.4 and ...3.10.5.
func sameMinor(expected, actual any) bool {
	minor := func(v any) string {
		text, _ := v.(string)
		return text[:max(strings.LastIndex(text, "."), 0)]
	}
	return minor(expected) != "" && minor(expected) == minor(actual)
}
