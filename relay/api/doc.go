// Package api is the relay's HTTP: for everybody on the public port, for the
// operator on the admin one. It shows what the relay knows and changes nothing
// on the way of a frame.
package api
