package protocol

// An OptSeq is a group's sequence, or none. On the wire it is a varint: 0 for
// none, else one more than the sequence.
type OptSeq struct {
	Value uint64
	OK    bool
}

// Seq returns the OptSeq that holds v.
func Seq(v uint64) OptSeq { return OptSeq{Value: v, OK: true} }

func (c *cursor) optSeq() OptSeq {
	v := c.varint()
	if v == 0 {
		return OptSeq{}
	}
	return Seq(v - 1)
}

func appendOptSeq(b []byte, s OptSeq) []byte {
	if !s.OK {
		return append(b, 0)
	}
	return appendVarint(b, min(s.Value, MaxVarint)+1)
}

// Delivery is how a subscriber wants a track's groups: the fields that SUBSCRIBE
// and SUBSCRIBE_UPDATE share (docs/wire.md, section 6).
type Delivery struct {
	Priority   uint8  // higher goes first
	Ordered    bool   // the oldest group first, else the newest
	MaxLatency uint64 // ms that a group which is not the newest may wait; 0 is no wish
	Start      OptSeq // first group wanted; none: the newest there is
	End        OptSeq // last group wanted; none: no end
}

func appendDelivery(b []byte, d Delivery) []byte {
	b = append(b, d.Priority)
	b = appendBool(b, d.Ordered)
	b = appendVarint(b, d.MaxLatency)
	b = appendOptSeq(b, d.Start)
	return appendOptSeq(b, d.End)
}

func (c *cursor) delivery() Delivery {
	return Delivery{
		Priority:   c.u8(),
		Ordered:    c.bool(),
		MaxLatency: c.varint(),
		Start:      c.optSeq(),
		End:        c.optSeq(),
	}
}

// A Subscribe asks for the groups of a track. It is the first message of a
// Subscribe stream; nothing but the groups says that it was accepted.
//
//	SUBSCRIBE {
//	  Length (i),
//	  Subscribe ID (i),
//	  Broadcast (path),
//	  Track (string),
//	  Priority (8),
//	  Ordered (bool),
//	  Max Latency (i),
//	  Group Start (seq?),
//	  Group End (seq?),
//	}
type Subscribe struct {
	ID        uint64 // chosen by the subscriber, never used twice in a session
	Broadcast Path
	Track     string
	Delivery
}

// Append writes m after b.
func (m Subscribe) Append(b []byte) []byte {
	b, start := openBody(b)
	b = appendVarint(b, m.ID)
	b = appendString(b, string(m.Broadcast))
	b = appendString(b, m.Track)
	b = appendDelivery(b, m.Delivery)
	return closeBody(b, start)
}

// ParseSubscribe reads the SUBSCRIBE at the start of b.
func ParseSubscribe(b []byte) (Subscribe, int, error) {
	return parseMessage(b, "subscribe", (*cursor).subscribe)
}

// Subscribe reads a SUBSCRIBE.
func (r *Reader) Subscribe() (Subscribe, error) {
	return readMessage(r, "subscribe", (*cursor).subscribe)
}

func (c *cursor) subscribe() Subscribe {
	return Subscribe{ID: c.varint(), Broadcast: c.path(), Track: c.string(), Delivery: c.delivery()}
}

// A SubscribeUpdate replaces the Delivery of the subscription on whose stream it
// comes: its Length and the last five fields of SUBSCRIBE.
type SubscribeUpdate struct {
	Delivery
}

// Append writes m after b.
func (m SubscribeUpdate) Append(b []byte) []byte {
	b, start := openBody(b)
	return closeBody(appendDelivery(b, m.Delivery), start)
}

// ParseSubscribeUpdate reads the SUBSCRIBE_UPDATE at the start of b.
func ParseSubscribeUpdate(b []byte) (SubscribeUpdate, int, error) {
	return parseMessage(b, "subscribe update", (*cursor).subscribeUpdate)
}

// SubscribeUpdate reads a SUBSCRIBE_UPDATE.
func (r *Reader) SubscribeUpdate() (SubscribeUpdate, error) {
	return readMessage(r, "subscribe update", (*cursor).subscribeUpdate)
}

func (c *cursor) subscribeUpdate() SubscribeUpdate { return SubscribeUpdate{c.delivery()} }
