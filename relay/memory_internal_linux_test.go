package relay

import (
	"math"
	"testing"
)

func TestGroupLimit(t *testing.T) {
	files := map[string]string{
		"/sys/fs/cgroup/memory.max":                              "8589934592\n",
		"/sys/fs/cgroup/system.slice/memory.max":                 "max\n",
		"/sys/fs/cgroup/system.slice/stentor.service/memory.max": "1073741824\n",
	}
	for _, tt := range []struct {
		name, groups string
		want         uint64
	}{
		{"none", "", math.MaxUint64},
		{"an older kind", "5:memory:/system.slice/stentor.service\n", math.MaxUint64},
		{"a container's own", "0::/\n", 8 << 30},
		{"a service", "0::/system.slice/stentor.service\n", 1 << 30},
		{"one without a limit, within one that has one", "0::/system.slice\n", 8 << 30},
		{"one that is not there", "0::/../elsewhere\n", 8 << 30},
	} {
		if got := groupLimit(tt.groups, func(name string) string { return files[name] }); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	if memory() == 0 {
		t.Error("the machine has no memory")
	}
}
