package hop

import (
	"os"
	"time"

	"github.com/stentor-audio/stentor/bench/process"
)

// Busy is how many processors the parts of a measurement used, on the mean. All
// share those of one machine: where there is little left, what is measured is that.
type Busy struct {
	Relays    float64 `json:"relays"`
	Listeners float64 `json:"listeners"`
	Network   float64 `json:"network"` // this process, through which all packets go

	// All is what was used in all, of those and of other programs: if it is a lot
	// more, or all that there is, others have disturbed the measurement. 0 if the
	// system does not tell.
	All float64 `json:"all"`
}

// A usage is what each process had used at a time.
type usage struct {
	at   time.Time
	all  time.Duration         // of the machine
	used map[int]time.Duration // by process
	part map[int]func(*Busy) *float64
}

// usage reads what all parts have used. What a system does not tell is left out.
func (r *run) usage() usage {
	u := usage{at: time.Now(), all: machineUsed(), used: make(map[int]time.Duration), part: make(map[int]func(*Busy) *float64)}
	note := func(pid int, part func(*Busy) *float64) {
		m, err := process.Open(pid)
		if err != nil {
			return
		}
		if now, err := m.Read(); err == nil {
			u.used[pid], u.part[pid] = now.CPU, part
		}
	}
	for _, relay := range r.relays {
		if relay.child != nil {
			note(relay.child.PID(), func(b *Busy) *float64 { return &b.Relays })
		}
	}
	if r.listeners != nil {
		note(r.listeners.PID(), func(b *Busy) *float64 { return &b.Listeners })
	}
	note(os.Getpid(), func(b *Busy) *float64 { return &b.Network })
	return u
}

// since is what has been used since a time by those who were there then and are
// there now.
func (u usage) since(before usage) (b Busy) {
	for pid, used := range u.used {
		if was, ok := before.used[pid]; ok && u.at.After(before.at) {
			*u.part[pid](&b) += float64(used-was) / float64(u.at.Sub(before.at))
		}
	}
	if u.at.After(before.at) {
		b.All = float64(u.all-before.all) / float64(u.at.Sub(before.at))
	}
	for _, part := range []*float64{&b.Relays, &b.Listeners, &b.Network, &b.All} {
		*part = hundredths(*part)
	}
	return b
}
