package token

import (
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// lookEvery is how often a Keyring looks at its files. A stat of each file once
// a second is nothing; a key that was taken away works for one second more.
const lookEvery = time.Second

// A Keyring is [Keys] that follow their files. It looks when asked to verify,
// at most once a second; a file that turns bad keeps its old key and is
// complained about, one that goes takes its key along. Any number of
// goroutines may use it.
type Keyring struct {
	path string
	log  *slog.Logger
	keys atomic.Pointer[Keys]

	mu     sync.Mutex // guards the rest, for whoever reloads
	looked time.Time
	seen   listing
	loaded map[string]Key // by file
	absent bool           // complained that path is unreadable
}

// OpenKeyring loads the keys at path as [Load] does and follows them from then
// on. A nil logger discards the complaints.
func OpenKeyring(path string, log *slog.Logger) (*Keyring, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	seen, err := scan(path) // before loading: what changes in between shows later
	if err != nil {
		return nil, err
	}
	loaded, err := seen.load(path)
	if err != nil {
		return nil, err
	}
	r := &Keyring{path: path, log: log, seen: seen, loaded: loaded}
	r.keys.Store(seen.keys(loaded))
	return r, nil
}

// Verify is [Keys.Verify] with the newest keys. It looks at the files if, by
// the clock of its callers, the last look is a second ago or lies in the
// future.
func (r *Keyring) Verify(token, sessionPath string, now time.Time) (Grant, error) {
	r.reload(now)
	return r.keys.Load().Verify(token, sessionPath, now)
}

// Keys returns the keys as of the last look.
func (r *Keyring) Keys() *Keys { return r.keys.Load() }

// reload looks at the files if that is due. One caller looks, the others go on
// with what there is.
func (r *Keyring) reload(now time.Time) {
	if !r.mu.TryLock() {
		return
	}
	defer r.mu.Unlock()
	if since := now.Sub(r.looked); since >= 0 && since < lookEvery {
		return
	}
	r.looked = now
	found, err := scan(r.path)
	if err != nil {
		if !r.absent {
			r.log.Warn("keys unreadable, keeping the old ones", "path", r.path, "error", err)
		}
		r.absent = true
		return
	}
	r.absent = false
	if found.folder == r.seen.folder && slices.Equal(found.files, r.seen.files) {
		return
	}
	r.take(found)
}

// take replaces the keys by what was found, file by file: a bad file keeps the
// key it had.
func (r *Keyring) take(found listing) {
	loaded := make(map[string]Key, len(found.files))
	for _, f := range found.files {
		old, had := r.loaded[f.path]
		if had && slices.Contains(r.seen.files, f) {
			loaded[f.path] = old
			continue
		}
		key, err := readVerifyingKey(f, found.folder)
		if err != nil {
			r.log.Warn("bad key", "file", f.path, "kept_old", had, "error", err)
			if !had {
				continue
			}
			key = old
		}
		loaded[f.path] = key
	}
	r.seen, r.loaded = found, loaded
	r.keys.Store(found.keys(loaded))
	r.log.Info("keys loaded", "path", r.path, "keys", len(loaded))
}
