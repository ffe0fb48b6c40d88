// Package crowd is many light listeners in one process. Hundreds of connections
// share a UDP socket; each declares itself, subscribes to one track with the
// bytes of package protocol, and from then on only takes datagrams and hands
// them on with the moment they came. It plays nothing, repairs nothing and never
// looks at group streams.
package crowd
