package e2e

import "syscall"

// ownGroup gives a child a process group, so that what it starts can be ended
// with it, and ends it if the tests are killed.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
