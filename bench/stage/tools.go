package stage

import (
	"fmt"
	"os/exec"
	"strings"
)

// Need fails when one of these programs is not installed, and says how to install all that are missing.
func Need(tools ...string) error {
	packages := map[string]string{"h2load": "nghttp2-client", "taskset": "util-linux", "docker": "docker.io"} // where it is not the tool's name
	var missing, install []string
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err == nil {
			continue
		}
		missing = append(missing, tool)
		if name, ok := packages[tool]; ok {
			tool = name
		}
		install = append(install, tool)
	}
	if missing == nil {
		return nil
	}
	return fmt.Errorf("this race needs %s: install with apt-get install -y %s", strings.Join(missing, " and "), strings.Join(install, " "))
}
