package playout

import "time"

// clockStep is how much earlier than possible a frame must come before its
// timestamp is taken for a step of the speaker's clock. No path gets a second
// faster from one frame to the next.
const clockStep = time.Second

// A timeline turns a speaker's timestamps into media time: the duration since
// its first frame, going on through steps of the speaker's clock. A pause of
// the speaker is no step: time passes there as it does here.
type timeline struct {
	begun  bool
	origin uint64        // the timestamp that is media time 0, µs
	shift  time.Duration // added since the last step

	stepped uint64        // frames before this sequence are from before the last step
	before  time.Duration // and had this shift

	newest uint64        // the highest sequence placed
	media  time.Duration // of that
}

// place is the media time of a frame that came at arrival. The base is the
// shortest transit known: arrival minus media time.
func (l *timeline) place(seq, timestamp uint64, arrival, base time.Duration) time.Duration {
	if !l.begun {
		*l = timeline{begun: true, origin: timestamp, newest: seq}
		return 0
	}
	t, ok := l.since(timestamp)
	if seq <= l.newest {
		return l.placeOld(seq, t, ok)
	}
	m := t + l.shift
	if !ok || m < l.media || arrival-m < base-clockStep {
		m = max(arrival-base, l.media+Frame) // as if it had come by the shortest way
		l.step(seq, timestamp, m)
	}
	l.newest, l.media = seq, m
	return m
}

// placeOld is for a frame older than the newest: it was spoken before that.
func (l *timeline) placeOld(seq uint64, t time.Duration, ok bool) time.Duration {
	if !ok {
		return l.media
	}
	shift := l.shift
	if seq < l.stepped {
		shift = l.before
	}
	return min(t+shift, l.media)
}

// step makes timestamp mean m from sequence seq on.
func (l *timeline) step(seq, timestamp uint64, m time.Duration) {
	t, ok := l.since(timestamp)
	if !ok { // too far to count from the old origin
		t, l.origin = 0, timestamp
	}
	l.stepped, l.before, l.shift = seq, l.shift, m-t
}

// since is the time from the origin to timestamp; not ok if that is decades.
func (l *timeline) since(timestamp uint64) (t time.Duration, ok bool) {
	const decades = 1 << 50 // µs
	d := int64(timestamp - l.origin)
	if d < -decades || d > decades {
		return 0, false
	}
	return time.Duration(d) * time.Microsecond, true
}
