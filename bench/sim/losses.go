package sim

import (
	"time"

	"github.com/stentor-audio/stentor/client/hop"
)

// A lateGroup came when some of its frames should have been played.
type lateGroup struct {
	group uint64
	lost  uint32
}

// hopped counts a hop.
func (w *world) hopped(e hop.Effect) {
	w.hops++
	w.hopTimes[e.Cause].note(e.Took)
	if w.last != nil {
		w.last.hops.note(e.Took)
	}
}

// first audio of a listener, and every group after it.
func (w *world) count(id int32, l *listener, s *session, g uint64, at time.Duration) {
	a := l.awake
	if !a.begun {
		a.begun, a.next, a.top = true, g, g
		a.base = w.rooms[l.room].parts[s.relay].latency + s.trip/2
		a.until = at + 100*time.Millisecond
		if l.first < 0 {
			l.first = int32(at / time.Millisecond)
			w.firstAudio.note(at - time.Duration(l.came)*time.Millisecond)
			w.res.Joins.Admitted++
			w.lastIn = at
		}
	}
	if g < a.next {
		return
	}
	for g >= a.next+uint64(64*len(a.seen)) {
		w.conclude(l, a)
	}
	at2 := g % uint64(64*len(a.seen))
	word, bit := &a.seen[at2/64], uint64(1)<<(at2%64)
	if *word&bit != 0 {
		return
	}
	*word |= bit
	a.top = max(a.top, g+1)
	if lost := w.lateFrames(l, a, g, at); lost > 0 {
		a.late = append(a.late, lateGroup{g, lost})
	}
	for a.next < a.top && a.has(a.next) {
		w.conclude(l, a)
	}
}

func (a *awake) has(g uint64) bool {
	at := g % uint64(64*len(a.seen))
	return a.seen[at/64]&(1<<(at%64)) != 0
}

// lateFrames is how many frames of a group should have been played by a time.
func (w *world) lateFrames(l *listener, a *awake, g uint64, at time.Duration) (lost uint32) {
	packet := l.packet()
	due := time.Duration(g)*packet + frame + a.base + w.delayOf(l)
	if at <= due {
		return 0
	}
	return min(uint32((at-due-1)/frame)+1, uint32(packet/frame))
}

// conclude counts what became of the next group.
func (w *world) conclude(l *listener, a *awake) {
	g := a.next
	lost := uint32(l.packet() / frame)
	whole := lost
	if a.has(g) {
		lost = 0
		for i, late := range a.late {
			if late.group == g {
				lost = late.lost
				a.late = append(a.late[:i], a.late[i+1:]...)
				break
			}
		}
	}
	at := g % uint64(64*len(a.seen))
	a.seen[at/64] &^= 1 << (at % 64)
	a.next++
	a.top = max(a.top, a.next)
	if lost == 0 {
		a.run = 0
		return
	}
	a.run += lost
	l.gap = max(l.gap, a.run)
	l.lost += lost
	w.lost1(l, g, lost)
	if lost < whole {
		a.run = 0
	}
}

// lost1 counts lost frames by what they were lost to.
func (w *world) lost1(l *listener, g uint64, lost uint32) {
	w.lostNow += int64(lost)
	if l.primary != nobody && w.relays[l.primary].alive() {
		if p := w.rooms[l.room].parts[l.primary]; p != nil {
			at := time.Duration(g+1)*l.packet() + p.latency
			for _, o := range p.outages {
				if at >= o.from && at < o.to {
					w.res.LostAt.Starved += int64(lost)
					return
				}
			}
		}
	}
	w.res.LostAt.Hops += int64(lost)
}

// giveUp counts as lost what should have been played by now and has not come.
func (w *world) giveUp(l *listener, now time.Duration) {
	a := l.awake
	if !a.begun {
		return
	}
	for {
		last := time.Duration(a.next+1)*l.packet() + a.base + w.delayOf(l)
		if last >= now {
			return
		}
		w.conclude(l, a)
	}
}
