package acceptance

import "strings"

// refused is a row whose bytes are no request: one of the statuses, the connection closed, no worker asked.
func refused(name, send string, statuses ...int) row {
	return row{name: name, send: send, run: func(x *trial) {
		c := x.dial().send(send)
		x.refusal(c.answer(send), statuses...)
		c.closed()
	}}
}

// declined is a row whose bytes are a request that nobody serves: one of the statuses, no worker asked.
func declined(name, send string, statuses ...int) row {
	return row{name: name, send: send, run: func(x *trial) {
		a := x.ask(send)
		x.refusal(a, statuses...)
		if a.status == 405 && !a.has("Allow") {
			x.Errorf("405 without Allow: %v", a.fields)
		}
	}}
}

// served is a row whose request is forwarded as sees ("POST /mult"), once. look examines what the worker got.
func served(name, send, sees string, look func(*trial, *message)) row {
	return row{name: name, send: send, run: func(x *trial) {
		x.sees(sees, 1)
		if a := x.ask(send); a.status != 200 {
			x.Fatalf("status %d %.200q", a.status, a.body)
		}
		look(x, x.first().requests()[0])
	}}
}

// either is a row that may be refused (with one of the statuses and the connection closed) or forwarded in good order. Of one that is refused for
// what comes late in it a worker may have seen the beginning, and never the end.
func either(name, send, sees string, look func(*trial, *message), statuses ...int) row {
	return row{name: name, send: send, run: func(x *trial) {
		c := x.dial().send(send)
		a := c.answer(send)
		if a.status != 200 {
			x.refusal(a, statuses...)
			c.closed()
			x.maySee(sees, 1)
			x.brokenOffOnly()
			return
		}
		x.sees(sees, 1)
		if x.await("the worker has it", func() bool { return len(x.first().requests()) == 1 }); look != nil {
			look(x, x.first().requests()[0])
		}
	}}
}

// under is a row in another world.
func (r row) under(with func(*plan)) row {
	r.with = with
	return r
}

// faulty is a row in which the worker is at fault.
func (r row) faulty() row {
	r.fault = true
	return r
}

// get and post are requests without anything peculiar. fields end with CRLF each.
func get(target, fields string) string {
	return "GET " + target + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n"
}

func post(target, fields, body string) string {
	return "POST " + target + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n" + body
}

func chunked(body string) string {
	return post("/mult", "Transfer-Encoding: chunked\r\n", body)
}

// smuggled is what hides behind requests. Whoever runs it has been fooled.
const smuggled = "GET /mult/smuggled HTTP/1.1\r\nHost: h\r\n\r\n"

// lacks asserts that the worker did not see fields.
func lacks(x *trial, m *message, names ...string) {
	for _, name := range names {
		if m.has(name) {
			x.Errorf("the worker saw %s: %q", name, m.all(name))
		}
	}
}

// is asserts the one value of a field.
func is(x *trial, m *message, name, value string) {
	if all := m.all(name); len(all) != 1 || all[0] != value {
		x.Errorf("%s is %q, want %q", name, all, value)
	}
}

// bodied asserts the body.
func bodied(want string) func(*trial, *message) {
	return func(x *trial, m *message) {
		if string(m.body) != want || !m.whole {
			x.Errorf("the worker got the body %.200q, whole: %v; want %.200q", m.body, m.whole, want)
		}
	}
}

func nothing(*trial, *message) {}

var long = strings.Repeat("x", 100<<10)

// seeds are the bytes of the rows that send nothing else, but for the very large.
func seeds() []string {
	var list []string
	for _, rows := range [][]row{b1Line(), b1Target(), b1Path(), b2Head(), b2Length(), b2Both(), b2Coding(), b2Chunks(), b2Trailers(), b2Expect(), b2Large(), b3Nominated(), b3Forwarding(), b3Hop()} {
		for _, r := range rows {
			if r.send != "" && len(r.send) < 8<<10 {
				list = append(list, r.send)
			}
		}
	}
	return append(list, get("/mult", "")+post("/mult", "Content-Length: 2\r\n", "hi")+chunked("2\r\nhi\r\n0\r\n\r\n"))
}
