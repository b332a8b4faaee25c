package workflows

import (
	"fmt"
	"regexp"
	"strings"
)

// Values are what expressions may name, such as github.sha.
type Values map[string]string

// expression is ${{ ... }}.
var expression = regexp.MustCompile(`\$\{\{\s*(.*?)\s*\}\}`)

// Expand puts the values into a text. A name without a value is an error.
func (v Values) Expand(text string) (string, error) {
	var missing error
	out := expression.ReplaceAllStringFunc(text, func(match string) string {
		value, err := v.value(expression.FindStringSubmatch(match)[1])
		if err != nil {
			missing = err
		}
		return value
	})
	return out, missing
}

// value is a literal's or a name's.
func (v Values) value(operand string) (string, error) {
	operand = strings.TrimSpace(operand)
	if len(operand) >= 2 && operand[0] == '\'' && strings.HasSuffix(operand, "'") {
		return operand[1 : len(operand)-1], nil
	}
	value, ok := v[operand]
	if !ok {
		return "", fmt.Errorf("the expression %q is not known here", operand)
	}
	return value, nil
}

// True evaluates the condition of a job or step whose predecessors went well:
// comparisons, joined by &&. An empty one is true.
func (v Values) True(condition string) (bool, error) {
	condition = strings.TrimSpace(condition)
	if m := expression.FindStringSubmatch(condition); m != nil && m[0] == condition {
		condition = m[1]
	}
	if condition == "" {
		return true, nil
	}
	for term := range strings.SplitSeq(condition, "&&") {
		holds, err := v.holds(strings.TrimSpace(term))
		if err != nil || !holds {
			return false, err
		}
	}
	return true, nil
}

func (v Values) holds(term string) (bool, error) {
	if term == "!cancelled()" {
		return true, nil
	}
	left, right, ok := strings.Cut(term, "==")
	if !ok {
		return false, fmt.Errorf("the condition %q is not known here", term)
	}
	a, err := v.value(left)
	if err != nil {
		return false, err
	}
	b, err := v.value(right)
	return a == b, err
}
