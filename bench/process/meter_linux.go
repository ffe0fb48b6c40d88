package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// tick is the unit of times in /proc/PID/stat: USER_HZ, which is 100 on every
// architecture that Go runs on.
const tick = time.Second / 100

// A Meter reads what one process uses. It needs nothing but /proc and may be used
// by several goroutines.
type Meter struct {
	pid     int
	dir     string
	started uint64
}

// Open checks that there is such a process and that it may be measured.
func Open(pid int) (*Meter, error) {
	m := &Meter{pid: pid, dir: filepath.Join("/proc", strconv.Itoa(pid))}
	s, err := m.stat()
	if err != nil {
		return nil, err
	}
	m.started = s.started
	if _, err := m.rss(); err != nil {
		return nil, err
	}
	return m, nil
}

// Read returns what the process has used until now, or [ErrNoProcess].
func (m *Meter) Read() (Usage, error) {
	s, err := m.stat()
	if err != nil {
		return Usage{}, err
	}
	if s.started != m.started {
		return Usage{}, fmt.Errorf("process %d: %w: its id has passed to another", m.pid, ErrNoProcess)
	}
	u := Usage{User: time.Duration(s.user) * tick, System: time.Duration(s.system) * tick}
	if u.CPU, err = m.cpu(); err != nil {
		return Usage{}, err
	}
	if u.RSS, err = m.rss(); err != nil {
		return Usage{}, err
	}
	return u, nil
}

func (m *Meter) stat() (stat, error) {
	b, err := os.ReadFile(filepath.Join(m.dir, "stat"))
	if err != nil {
		return stat{}, m.explain(err)
	}
	s, err := parseStat(b)
	if err != nil {
		return stat{}, fmt.Errorf("process %d: %w", m.pid, err)
	}
	if s.state == 'Z' || s.state == 'X' {
		return stat{}, fmt.Errorf("process %d: %w: it has just ended", m.pid, ErrNoProcess)
	}
	return s, nil
}

// cpu asks for the process's CPU-time clock, whose id is made of the process's
// (clock_getcpuclockid(3)).
func (m *Meter) cpu() (time.Duration, error) {
	const scheduler = 2 // CPUCLOCK_SCHED
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^m.pid<<3|scheduler), &t); err != nil {
		if errors.Is(err, syscall.EINVAL) {
			err = ErrNoProcess
		}
		return 0, fmt.Errorf("process %d: CPU clock: %w", m.pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// rss counts what is resident now: status keeps it only roughly, thread by
// thread, up to 64 pages behind.
func (m *Meter) rss() (int64, error) {
	b, err := os.ReadFile(filepath.Join(m.dir, "smaps_rollup"))
	if err != nil {
		return 0, m.explain(err)
	}
	n, err := parseKilobytes(b, "Rss")
	if err != nil {
		return 0, fmt.Errorf("process %d: smaps_rollup: %w", m.pid, err)
	}
	return n, nil
}

// explain finds the word for what went wrong with a file of /proc.
func (m *Meter) explain(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ESRCH):
		return fmt.Errorf("process %d: %w", m.pid, ErrNoProcess)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("process %d: %w; measure as that user or as root", m.pid, ErrForbidden)
	}
	return fmt.Errorf("process %d: %w", m.pid, err)
}

// AvailableMemory is how many bytes can still be used without swapping.
func AvailableMemory() (int64, error) {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	return parseKilobytes(b, "MemAvailable")
}
