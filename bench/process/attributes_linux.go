package process

import "syscall"

// attributes: a process group of its own, so that Ctrl-C reaches only this
// program, which then ends the child in order; and the end of this program, even
// by SIGKILL, is the child's.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
