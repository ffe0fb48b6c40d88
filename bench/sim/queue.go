package sim

import "time"

// A kind says what is to be done at an event's time.
type kind uint8

const (
	call     kind = iota // run
	measure              // a relay looks at its load: a
	announce             // what a relay says of itself is told: a
	arrive               // the next of a wave comes: a wave
	leave                // a listener goes home: a
	wake                 // a listener's machine is due: a
	tell                 // a session of a listener has something to tell: a listener, b session, c what
	lobby                // a listener's question has reached a lobby: a
	turn                 // a relay looks around in a room: a room, b relay
	flow                 // who has audio in a room is worked out anew: a room
	chat                 // a speaker's pair is due: a
	patience             // a page has waited long enough for its first session: a
)

// An event is something that is due. Of two at the same time the one that was
// noted first comes first.
type event struct {
	at      time.Duration
	n       uint64
	kind    kind
	a, b, c int32 // of call: a is the function's place among the queue's
}

func (e *event) before(o *event) bool { return e.at < o.at || e.at == o.at && e.n < o.n }

const (
	// slotWidth is how long a slot of the queue is, and slots how many there are: most
	// of what happens is due within the sixteen seconds that they are together.
	slotWidth = time.Millisecond
	slots     = 1 << 14
)

// A queue holds what is due, in the order in which it is due. What is due in this
// millisecond, or was, is a heap; what follows soon lies in slots, unordered, until
// it is its slot's turn; what is due later is another heap. So nearly all events are
// moved twice, and not as often as a heap of a million is deep.
type queue struct {
	n     uint64
	held  int // in all of it
	now   heap
	base  int64 // the slot whose events are in now
	soon  [][]event
	spare [][]event // slots that were emptied
	later heap

	calls []func()
	free  []int32 // places among calls
}

func slotOf(at time.Duration) int64 { return int64(at / slotWidth) }

func (q *queue) push(e event) {
	q.n++
	e.n = q.n
	q.held++
	q.put(e)
}

// call has a function run at a time.
func (q *queue) call(at time.Duration, run func()) {
	place := int32(len(q.calls))
	if last := len(q.free) - 1; last >= 0 {
		place, q.free = q.free[last], q.free[:last]
		q.calls[place] = run
	} else {
		q.calls = append(q.calls, run)
	}
	q.push(event{at: at, kind: call, a: place})
}

// called is the function of a call that is due, which the queue forgets.
func (q *queue) called(e event) func() {
	run := q.calls[e.a]
	q.calls[e.a] = nil
	q.free = append(q.free, e.a)
	return run
}

func (q *queue) put(e event) {
	switch slot := slotOf(e.at); {
	case slot <= q.base:
		q.now.push(e)
	case slot < q.base+slots:
		if q.soon == nil {
			q.soon = make([][]event, slots)
		}
		in := &q.soon[slot%slots]
		if last := len(q.spare) - 1; *in == nil && last >= 0 {
			*in, q.spare = q.spare[last], q.spare[:last]
		}
		*in = append(*in, e)
	default:
		q.later.push(e)
	}
}

// next is when the first event is due; never if there is none.
func (q *queue) next() time.Duration {
	for len(q.now) == 0 {
		if q.held == 0 {
			return never
		}
		q.turn()
	}
	return q.now[0].at
}

// turn goes on to the next slot, or to the next in which there is anything if all
// that there is lies far off.
func (q *queue) turn() {
	q.base++
	if q.held == len(q.later) {
		q.base = max(q.base, slotOf(q.later[0].at))
	}
	for len(q.later) > 0 && slotOf(q.later[0].at) < q.base+slots {
		q.put(q.later.pop())
	}
	if q.soon == nil {
		return
	}
	slot := q.soon[q.base%slots]
	if slot == nil {
		return
	}
	for i := range slot {
		q.now.push(slot[i])
	}
	q.soon[q.base%slots] = nil
	q.spare = append(q.spare, slot[:0])
}

func (q *queue) pop() event {
	q.next()
	q.held--
	return q.now.pop()
}

// A heap of events, four to a parent.
type heap []event

func (h *heap) push(e event) {
	*h = append(*h, e)
	all := *h
	i := len(all) - 1
	for i > 0 {
		up := (i - 1) / 4
		if !e.before(&all[up]) {
			break
		}
		all[i] = all[up]
		i = up
	}
	all[i] = e
}

func (h *heap) pop() event {
	all := *h
	first, last := all[0], len(all)-1
	e := all[last]
	all = all[:last]
	*h = all
	if last == 0 {
		return first
	}
	i := 0
	for {
		least := 4*i + 1
		if least >= last {
			break
		}
		for c := least + 1; c < min(4*i+5, last); c++ {
			if all[c].before(&all[least]) {
				least = c
			}
		}
		if !all[least].before(&e) {
			break
		}
		all[i] = all[least]
		i = least
	}
	all[i] = e
	return first
}
