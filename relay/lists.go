package relay

import (
	"sync"
	"time"
)

const (
	// shares is how many different lists the sessions of a room are told at most:
	// enough that they stand by at all the relays that share them.
	shares = 64
	// listsFor is how long a list may be given again. What it is made of and is not
	// announced, a room's roots and how many listen, changes slowly.
	listsFor = time.Second
)

// lists are what sessions were told of where they may go on. Whenever the directory
// changes all sessions of a relay ask at once, and in a large network that is all
// the time; they are told one of a few things.
type lists struct {
	mu      sync.Mutex
	version uint64
	began   time.Time
	made    map[listKey][]byte
}

// A listKey is all that a session's list depends on, beside what everybody knows.
type listKey struct {
	room    string
	listens bool
	share   uint64
	state   State // this relay's own
}

// get returns the list of a version, or makes it.
func (l *lists) get(key listKey, version uint64, now time.Time, list func() []byte) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made == nil || l.version != version || now.Sub(l.began) >= listsFor {
		l.version, l.began, l.made = version, now, make(map[listKey][]byte)
	}
	b, ok := l.made[key]
	if !ok {
		b = list()
		l.made[key] = b
	}
	return b
}
