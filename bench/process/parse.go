package process

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// errFormat says that a file of /proc does not look like its manual.
var errFormat = errors.New("unexpected format")

// stat is what is of use in /proc/PID/stat (proc_pid_stat(5)).
type stat struct {
	state        byte   // 'Z' and 'X' are dead
	user, system uint64 // clock ticks, of all threads there have been
	started      uint64 // clock ticks after boot: tells a process from a later one of the same id
}

// parseStat reads /proc/PID/stat. The program's name stands in parentheses and
// may have spaces and parentheses of its own, so fields are counted from the last
// one.
func parseStat(b []byte) (stat, error) {
	end := bytes.LastIndexByte(b, ')')
	if end < 0 {
		return stat{}, fmt.Errorf("stat: %w: no name", errFormat)
	}
	fields := strings.Fields(string(b[end+1:])) // the first is field 3
	const state, utime, stime, starttime = 3, 14, 15, 22
	if len(fields) <= starttime-state {
		return stat{}, fmt.Errorf("stat: %w: %d fields after the name", errFormat, len(fields))
	}
	s := stat{state: fields[0][0]}
	for _, f := range []struct {
		field int
		into  *uint64
	}{{utime, &s.user}, {stime, &s.system}, {starttime, &s.started}} {
		n, err := strconv.ParseUint(fields[f.field-state], 10, 64)
		if err != nil {
			return stat{}, fmt.Errorf("stat: %w: field %d is %q", errFormat, f.field, fields[f.field-state])
		}
		*f.into = n
	}
	return s, nil
}

// parseKilobytes reads the line "Name:  123 kB" of /proc/PID/smaps_rollup,
// /proc/PID/status or /proc/meminfo and returns bytes.
func parseKilobytes(b []byte, name string) (int64, error) {
	for line := range strings.Lines(string(b)) {
		rest, ok := strings.CutPrefix(line, name+":")
		if !ok {
			continue
		}
		fields := strings.Fields(rest)
		if len(fields) != 2 || fields[1] != "kB" {
			return 0, fmt.Errorf("%w: %q", errFormat, strings.TrimSpace(line))
		}
		n, err := strconv.ParseInt(fields[0], 10, 53)
		if err != nil {
			return 0, fmt.Errorf("%w: %q", errFormat, strings.TrimSpace(line))
		}
		return n << 10, nil
	}
	return 0, fmt.Errorf("%w: no line %q", errFormat, name)
}
