package hop

import (
	"bytes"
	"os"
	"strconv"
	"time"
)

// userHZ is how many ticks of /proc/stat are a second, on all that Go runs on.
const userHZ = 100

// machineUsed is what all programs together have used of the processors since the
// machine began (proc_stat(5)); 0 if it does not tell.
func machineUsed() time.Duration {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	var used int64
	for i, field := range bytes.Fields(line) {
		if i == 0 || i == 4 || i == 5 || i > 8 { // the word cpu, idle, waiting for disks, guests
			continue
		}
		n, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return 0
		}
		used += n
	}
	return time.Duration(used) * time.Second / userHZ
}
