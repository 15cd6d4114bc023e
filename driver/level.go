package driver

import "strings"

// Capabilities are the capabilities of Linux that a worker of the level keeps, without their CAP_. Each call makes a new list.
func (l Level) Capabilities() []string {
	if l == LevelStandard {
		return []string{"CHOWN", "SETUID", "SETGID", "DAC_OVERRIDE", "NET_BIND_SERVICE"}
	}
	return nil
}

// RootUser tells whether a user, as a configuration or an image names it (name or number, with or without :group), is root. No user
// at all is root too, for that is what an engine makes of it.
func RootUser(user string) bool {
	name, _, _ := strings.Cut(user, ":")
	return name == "root" || strings.Trim(name, "0") == ""
}
