// Package handover is what two balancer processes of one instance tell each other while the one that runs, the predecessor, gives its place to
// the one it has started, the successor. They speak JSON, one message a line, on a pair of connected sockets:
//
//	predecessor                                   successor
//	hello    who I am                       ──►
//	                                        ◄──  prepared   my configuration is good, the driver answers
//	estate   my workers, what I remember    ──►
//	                                        ◄──  adopted    I know them all
//	held     nothing is claimed here any    ──►
//	         more; so much is in flight
//	                                        ◄──  serving    I accept connections
//	want     a request of mine needs a slot ──►
//	                                        ◄──  grant, refuse
//	cancel   it needs none any more         ──►
//	return   a task of mine has ended       ──►
//
// From held on the successor's fleet knows every task of both on every worker, so a worker never gets more than it takes. Until serving the
// predecessor can change its mind (abort), and so can the successor (fail). Whoever finds the line cut goes on alone: a predecessor claims by
// itself again, a successor frees what the other held.
//
// The two may be of different versions: what a message does not have is zero, what is not known is skipped, and another Version is refused.
package handover

import (
	"time"

	"understudy/fleet"
)

// Version of this protocol. It changes when messages get another meaning.
const Version = 1

// Hello is who the predecessor is.
type Hello struct {
	Version   int               `json:"version"`
	Instance  string            `json:"instance"`
	Driver    string            `json:"driver"`
	Addresses map[string]string `json:"addresses"` // of each listener by name, as its configuration has it; empty: whatever it says
}

// Estate is what a predecessor leaves.
type Estate struct {
	Workers []Worker `json:"workers"`
	Pools   []Pool   `json:"pools"`
}

// Worker is one that the predecessor has.
type Worker struct {
	fleet.Info
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"` // why it drains or failed
	Busy   int    `json:"busy,omitempty"`   // tasks of the predecessor on it
}

// Pool is what the predecessor remembers of a pool.
type Pool struct {
	Name   string          `json:"name"`
	Starts []time.Duration `json:"starts,omitempty"` // how long the last ones took, in ns
}

// Stage is how far a successor has come.
type Stage string

const (
	Prepared Stage = "prepared"
	Adopted  Stage = "adopted"
	Serving  Stage = "serving"
)

// message is one line. Which fields count depends on the kind.
type message struct {
	Kind   string      `json:"kind"`
	Hello  *Hello      `json:"hello,omitempty"`
	Estate *Estate     `json:"estate,omitempty"`
	Order  uint64      `json:"order,omitempty"` // held
	ID     uint64      `json:"id,omitempty"`    // want, cancel, grant, refuse
	Want   *fleet.Want `json:"want,omitempty"`
	Grant  *grant      `json:"grant,omitempty"`
	Return *returned   `json:"return,omitempty"`
	Why    string      `json:"why,omitempty"` // refuse, fail, abort
}

// grant needs no token: the slot has the number of the want.
type grant struct {
	Worker fleet.Info  `json:"worker"`
	Start  fleet.Start `json:"start"`
}

type returned struct {
	ID     uint64 `json:"id,omitempty"` // 0: one of those from before
	Worker string `json:"worker"`
	Kind   string `json:"kind"`
	Lacks  bool   `json:"lacks,omitempty"`
}

// The kinds of messages that are no stage.
const (
	kindHello  = "hello"
	kindEstate = "estate"
	kindHeld   = "held"
	kindWant   = "want"
	kindCancel = "cancel"
	kindGrant  = "grant"
	kindRefuse = "refuse"
	kindReturn = "return"
	kindFail   = "fail"
	kindAbort  = "abort"
)
