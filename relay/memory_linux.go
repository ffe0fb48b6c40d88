package relay

import (
	"math"
	"os"
	"path"
	"runtime/debug"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// memory is how many bytes the process may use: of the machine, of the control group
// that it is in, or of GOMEMLIMIT, whichever is least. Zero is not known.
func memory() uint64 {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return 0
	}
	total := info.Totalram * uint64(info.Unit)
	if limit := debug.SetMemoryLimit(-1); limit < math.MaxInt64 {
		total = min(total, uint64(limit))
	}
	groups, _ := os.ReadFile("/proc/self/cgroup")
	return min(total, groupLimit(string(groups), func(name string) string {
		b, _ := os.ReadFile(name)
		return string(b)
	}))
}

// groupLimit is the limit of a control group, by the list of those that a process is in
// (cgroups(7)), or no limit. A container sees its own as the root.
func groupLimit(groups string, read func(name string) string) uint64 {
	least := uint64(math.MaxUint64)
	for line := range strings.Lines(groups) {
		group, is := strings.CutPrefix(strings.TrimSpace(line), "0::")
		if !is {
			continue
		}
		for group = path.Join("/", group); ; group = path.Dir(group) {
			limit := read(path.Join("/sys/fs/cgroup", group, "memory.max"))
			if bytes, err := strconv.ParseUint(strings.TrimSpace(limit), 10, 64); err == nil {
				least = min(least, bytes)
			}
			if group == "/" {
				break
			}
		}
	}
	return least
}
