package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// nodeVariable tells the CDK's runtime which Node to start. It is read before
// main begins, which is why withNode starts this program anew.
const nodeVariable = "JSII_NODE"

var errNoNode = errors.New("no Node is installed: run make infra-deps, which installs the pinned one from npm")

// withNode makes sure that the CDK runs on a Node that it supports, the one
// that package.json pins before any other.
func withNode(root string) error {
	node := os.Getenv(nodeVariable)
	if node == "" {
		return restartWith(root)
	}
	return supported(node)
}

func restartWith(root string) error {
	node := filepath.Join(root, "node_modules", ".bin", "node")
	if _, err := os.Stat(node); err != nil {
		if node, err = exec.LookPath("node"); err != nil {
			return errNoNode
		}
	}
	if err := supported(node); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return syscall.Exec(self, os.Args, append(os.Environ(), nodeVariable+"="+node)) //nolint:gosec // this program itself
}

// supported returns an error for a Node that the CDK does not run on.
func supported(node string) error {
	out, err := exec.Command(node, "--version").Output() //nolint:gosec // the operator's own Node
	if err != nil {
		return fmt.Errorf("%s does not run: %w; run make infra-deps, which installs the pinned one from npm", node, err)
	}
	version := strings.TrimSpace(string(out))
	if major, _, _ := strings.Cut(version, "."); major != "v22" && major != "v24" {
		return fmt.Errorf("%s is %s, and the CDK wants 22 or 24: run make infra-deps, which installs the pinned one from npm", node, version)
	}
	return nil
}
