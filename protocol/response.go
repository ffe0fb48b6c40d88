package protocol

import "fmt"

// A SubscribeResponse is what a publisher says on a Subscribe stream:
// [SubscribeStart], [SubscribeEnd] or [SubscribeDrop]; in lite-04
// [SubscribeOK04] or SubscribeDrop. Unlike other messages it has a type before
// its length (docs/wire.md, section 6.2):
//
//	SUBSCRIBE_START { Type (i) = 0, Length (i), Group (i) }
//	SUBSCRIBE_END   { Type (i) = 1, Length (i), Group (i) }
//	SUBSCRIBE_DROP  { Type (i) = 2, Length (i), Start (i), End (i), Error (i) }
type SubscribeResponse interface {
	// Append writes the response after b, with its type.
	Append(b []byte) []byte

	response()
}

const (
	typeStart  = 0
	typeEnd    = 1
	typeDrop   = 2
	typeOK04   = 0
	typeDrop04 = 1
)

// SubscribeStart says which group is the first that will be delivered.
type SubscribeStart struct{ Group uint64 }

// SubscribeEnd says which group is the first that will not be: one more than the
// last, 0 if the track had none.
type SubscribeEnd struct{ Group uint64 }

// SubscribeDrop says that the groups from Start to End, both included, will not
// be delivered. Code 0 is: just not available.
type SubscribeDrop struct{ Start, End, Code uint64 }

// SubscribeOK04 accepts a subscription in lite-04, where it must come first. Its
// bytes are type 0 and a SUBSCRIBE_UPDATE.
type SubscribeOK04 struct{ Delivery }

func (SubscribeStart) response() {}
func (SubscribeEnd) response()   {}
func (SubscribeDrop) response()  {}
func (SubscribeOK04) response()  {}

// Append writes m after b.
func (m SubscribeStart) Append(b []byte) []byte { return appendResponse(b, typeStart, m.Group) }

// Append writes m after b.
func (m SubscribeEnd) Append(b []byte) []byte { return appendResponse(b, typeEnd, m.Group) }

// Append writes m after b, as lite-05 has it.
func (m SubscribeDrop) Append(b []byte) []byte {
	return appendResponse(b, typeDrop, m.Start, m.End, m.Code)
}

// Append04 writes m after b, as lite-04 has it: with another type.
func (m SubscribeDrop) Append04(b []byte) []byte {
	return appendResponse(b, typeDrop04, m.Start, m.End, m.Code)
}

// Append writes m after b.
func (m SubscribeOK04) Append(b []byte) []byte {
	return SubscribeUpdate(m).Append(append(b, typeOK04))
}

func appendResponse(b []byte, kind byte, fields ...uint64) []byte {
	b, start := openBody(append(b, kind))
	for _, v := range fields {
		b = appendVarint(b, v)
	}
	return closeBody(b, start)
}

// ParseSubscribeResponse reads the response at the start of b.
func ParseSubscribeResponse(b []byte, v Version) (SubscribeResponse, int, error) {
	head := cursor{rest: b, short: ErrShort}
	kind := head.varint()
	if head.err != nil {
		return nil, 0, fmt.Errorf("subscribe response: %w", head.err)
	}
	parse, err := responseParser(kind, v)
	if err != nil {
		return nil, 0, err
	}
	m, n, err := parseMessage(head.rest, "subscribe response", parse)
	if err != nil {
		return nil, 0, err
	}
	return m, len(b) - len(head.rest) + n, nil
}

// SubscribeResponse reads a response.
func (r *Reader) SubscribeResponse(v Version) (SubscribeResponse, error) {
	kind, err := r.first()
	if err != nil {
		return nil, place("subscribe response", err)
	}
	parse, err := responseParser(kind, v)
	if err != nil {
		return nil, err
	}
	m, err := readMessage(r, "subscribe response", parse)
	return m, inside(err)
}

func responseParser(kind uint64, v Version) (func(*cursor) SubscribeResponse, error) {
	switch {
	case v == Lite05 && kind == typeStart:
		return func(c *cursor) SubscribeResponse { return SubscribeStart{c.varint()} }, nil
	case v == Lite05 && kind == typeEnd:
		return func(c *cursor) SubscribeResponse { return SubscribeEnd{c.varint()} }, nil
	case v == Lite05 && kind == typeDrop, v == Lite04 && kind == typeDrop04:
		return func(c *cursor) SubscribeResponse {
			return SubscribeDrop{Start: c.varint(), End: c.varint(), Code: c.varint()}
		}, nil
	case v == Lite04 && kind == typeOK04:
		return func(c *cursor) SubscribeResponse { return SubscribeOK04{c.delivery()} }, nil
	}
	return nil, fmt.Errorf("subscribe response: %w: type %d", ErrMalformed, kind)
}
