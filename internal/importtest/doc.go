// Package importtest holds the test of which package may import which. Its one
// table says so with the reason for each rule; see rules_test.go.
package importtest
