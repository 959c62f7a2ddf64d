import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { MailEvent } from "../../src/mail/event.ts";
import { MessageTracker } from "../../src/mail/message.ts";
import { MAX_RECIPIENTS, MAX_STORY_LINES } from "../../src/mail/story.ts";
import { changed, eventsOf, linesOf, statuses, track } from "./transaction-support.ts";

suite("a message through the queue", () => {
  const { stories, threads, sessions, tracker } = track(
    eventsOf(`
      10:00:00 postfix/postscreen[9]: CONNECT from [192.0.2.9]:4022 to [192.0.2.1]:25
      10:00:02 postfix/postscreen[9]: PASS NEW [192.0.2.9]:4022
      10:00:02 postfix/smtpd[11]: connect from h.example[192.0.2.9]
      10:00:02 postgrey[5]: action=pass, reason=client AWL, client_name=h.example, client_address=192.0.2.9/32, sender=a@b.example, recipient=x@our.example
      10:00:03 postfix/smtpd[11]: 4A1B2C3D4E: client=h.example[192.0.2.9], sasl_method=PLAIN, sasl_username=ann
      10:00:03 postfix/cleanup[12]: 4A1B2C3D4E: message-id=<m1@b.example>
      10:00:03 opendkim[7]: 4A1B2C3D4E: DKIM verification successful
      10:00:03 postfix/qmgr[13]: 4A1B2C3D4E: from=<a@b.example>, size=1024, nrcpt=2 (queue active)
      10:00:03 postfix/smtpd[11]: disconnect from h.example[192.0.2.9] ehlo=1 mail=1 rcpt=2 data=1 quit=1 commands=6
      10:00:04 dovecot: lmtp(x@our.example)<77><sess1AbCdEfGhIjKl>: msgid=<m1@b.example>: saved mail to INBOX
      10:00:04 postfix/lmtp[14]: 4A1B2C3D4E: to=<x@our.example>, orig_to=<info@our.example>, relay=mx[private/dovecot-lmtp], delay=1.2, delays=1/0/0/0.2, dsn=2.0.0, status=sent (250 2.0.0 <x@our.example> sess1AbCdEfGhIjKl Saved)
      10:00:05 postfix/smtp[15]: 4A1B2C3D4E: to=<y@far.example>, relay=none, delay=2, delays=1/0/1/0, dsn=4.4.1, status=deferred (connect to far.example[192.0.2.7]:25: Connection timed out)
      10:30:00 postfix/qmgr[13]: 4A1B2C3D4E: from=<a@b.example>, size=1024, nrcpt=2 (queue active)
      10:30:01 postfix/qmgr[13]: 4A1B2C3D4E: skipped, still being delivered
      10:30:05 postfix/smtp[15]: 4A1B2C3D4E: to=<y@far.example>, relay=far.example[192.0.2.7]:25, delay=1802, delays=1800/0/1/1, dsn=2.0.0, status=sent (250 ok)
      10:30:05 postfix/qmgr[13]: 4A1B2C3D4E: removed`),
  );
  const story = stories[0]!;

  test("is one story with all its lines", () => {
    assert.equal(stories.length, 1);
    assert.deepEqual(linesOf(story), [5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16]);
    assert.equal(tracker.counts.stories, 1);
    assert.equal(tracker.size, 0);
  });
  test("knows who sent what", () => {
    assert.equal(story.messageId, "m1@b.example");
    assert.equal(story.from, "a@b.example");
    assert.equal(story.size, 1024);
    assert.equal(story.nrcpt, 2);
    assert.equal(story.clientAddress, "192.0.2.9");
    assert.equal(story.saslUsername, "ann");
    assert.equal(story.activations, 2);
    assert.ok(story.finished && story.startSeen && story.fate === "removed");
  });
  test("tells each recipient's tries", () => {
    assert.deepEqual(statuses(story), ["x@our.example: sent", "y@far.example: deferred, sent"]);
    const [x, y] = [...story.recipients.values()];
    assert.equal(x!.origTo, "info@our.example");
    assert.equal(y!.attempts, 2);
    assert.equal(y!.history[1]!.relay, "far.example[192.0.2.7]:25");
    assert.equal(y!.history[1]!.delay, 1802);
    assert.equal(story.mailboxes?.get("x@our.example"), "INBOX");
    assert.deepEqual(story.lmtp, ["sess1AbCdEfGhIjKl"]);
  });
  test("names its connection, the policy service's line and postscreen before it", () => {
    assert.equal(story.session?.kind, "smtpd");
    assert.deepEqual(
      story.session?.lines.map((l) => l.line),
      [3, 4, 9],
    );
    assert.deepEqual(story.session?.messages, ["4A1B2C3D4E"]);
    assert.deepEqual(
      story.session?.before?.lines.map((l) => l.line),
      [1, 2],
    );
    assert.equal(threads.length, 1);
    assert.deepEqual(
      sessions.map((s) => [s.kind, s.finished]),
      [
        ["smtpd", true],
        ["postscreen", true],
        ["lmtp", true],
      ],
    );
  });
});

suite("links between messages", () => {
  test("a bounce is the child of what bounced, and is followed itself", () => {
    const { stories, threads } = track(
      eventsOf(`
        10:00:00 postfix/pickup[1]: AAAAA11111: uid=33 from=<www-data>
        10:00:00 postfix/cleanup[2]: AAAAA11111: message-id=<m@our.example>
        10:00:00 postfix/qmgr[3]: AAAAA11111: from=<www-data@our.example>, size=300, nrcpt=1 (queue active)
        10:00:01 postfix/smtp[4]: AAAAA11111: to=<no@far.example>, relay=far.example[192.0.2.7]:25, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (host far.example[192.0.2.7] said: 550 5.1.1 unknown (in reply to RCPT TO command))
        10:00:01 postfix/cleanup[2]: BBBBB22222: message-id=<b@our.example>
        10:00:01 postfix/bounce[5]: AAAAA11111: sender non-delivery notification: BBBBB22222
        10:00:01 postfix/qmgr[3]: BBBBB22222: from=<>, size=2000, nrcpt=1 (queue active)
        10:00:01 postfix/qmgr[3]: AAAAA11111: removed
        10:00:02 postfix/local[6]: BBBBB22222: to=<www-data@our.example>, relay=local, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (delivered to mailbox)
        10:00:02 postfix/qmgr[3]: BBBBB22222: removed`),
    );
    assert.equal(threads.length, 1);
    const [parent, child] = stories;
    assert.equal(parent!.uid, 33);
    assert.deepEqual(parent!.links, [
      {
        kind: "notification",
        parent: "AAAAA11111",
        child: "BBBBB22222",
        note: "sender non-delivery",
        known: true,
      },
    ]);
    assert.equal(child!.from, "");
    assert.ok(child!.finished && child!.startSeen);
  });

  const amavis = (client: string, said: string): string => `
    10:00:00 postfix/smtpd[1]: AAAAA11111: client=h.example[192.0.2.9]
    10:00:00 postfix/cleanup[2]: AAAAA11111: message-id=<m@b.example>
    10:00:00 postfix/qmgr[3]: AAAAA11111: from=<a@b.example>, size=300, nrcpt=1 (queue active)
    10:00:01 postfix/smtpd[4]: BBBBB22222: client=${client}
    10:00:01 postfix/cleanup[2]: BBBBB22222: message-id=<m@b.example>
    10:00:01 postfix/qmgr[3]: BBBBB22222: from=<a@b.example>, size=700, nrcpt=1 (queue active)
    10:00:01 amavis[9]: (01-01) Passed CLEAN {RelayedInbound}, [192.0.2.9] <a@b.example> -> <x@our.example>, Queue-ID: AAAAA11111, Message-ID: <m@b.example>, Hits: 0.1, size: 300, queued_as: BBBBB22222, 900 ms
    10:00:01 postfix/smtp[5]: AAAAA11111: to=<x@our.example>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (${said})
    10:00:01 postfix/qmgr[3]: AAAAA11111: removed
    10:00:02 postfix/virtual[6]: BBBBB22222: to=<x@our.example>, relay=virtual, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (delivered to maildir)
    10:00:02 postfix/qmgr[3]: BBBBB22222: removed`;
  const said = "250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as BBBBB22222";

  test("a content filter's two ids are one thread, by its reply, by orig_queue_id or by amavis' line", () => {
    for (const [client, reply] of [
      ["localhost[127.0.0.1]", said],
      ["localhost[127.0.0.1], orig_queue_id=AAAAA11111, orig_client=h.example[192.0.2.9]", "250 ok"],
      ["localhost[127.0.0.1]", "250 2.0.0 ok"],
    ] as const) {
      const { stories, threads } = track(eventsOf(amavis(client, reply)));
      assert.equal(threads.length, 1, client);
      assert.equal(stories[0]!.links[0]!.kind, "filter", reply);
      assert.equal(stories[0]!.links.length, 1);
    }
    const { stories } = track(eventsOf(amavis("localhost[127.0.0.1]", said)));
    assert.equal([...stories[0]!.recipients.values()][0]!.handedTo, "BBBBB22222");
    assert.ok(linesOf(stories[0]!).includes(7));
  });

  test("the same message-id from this host joins what is on its way, two programs' messages do not", () => {
    const redirect = eventsOf(`
      10:00:00 postfix/smtpd[1]: AAAAA11111: client=h.example[192.0.2.9]
      10:00:00 postfix/cleanup[2]: AAAAA11111: message-id=<m@b.example>
      10:00:00 postfix/qmgr[3]: AAAAA11111: from=<a@b.example>, size=300, nrcpt=1 (queue active)
      10:00:01 postfix/pickup[4]: BBBBB22222: uid=500 from=<vmail>
      10:00:01 postfix/cleanup[2]: BBBBB22222: message-id=<m@b.example>`);
    assert.equal(track(redirect).threads.length, 1);
    const twice = eventsOf(`
      10:00:00 postfix/pickup[4]: AAAAA11111: uid=33 from=<www>
      10:00:00 postfix/cleanup[2]: AAAAA11111: message-id=<m@b.example>
      10:00:01 postfix/pickup[4]: BBBBB22222: uid=33 from=<www>
      10:00:01 postfix/cleanup[2]: BBBBB22222: message-id=<m@b.example>`);
    assert.equal(track(twice).threads.length, 2);
  });

  test("an id in a stranger's reply is no link, even when it is one of ours", () => {
    const { threads } = track(
      eventsOf(`
        10:00:00 postfix/cleanup[2]: AAAAA11111: message-id=<m1@b.example>
        10:00:00 postfix/cleanup[2]: BBBBB22222: message-id=<m2@b.example>
        10:00:01 postfix/smtp[5]: AAAAA11111: to=<x@far.example>, relay=far.example[192.0.2.7]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as BBBBB22222)`),
    );
    assert.equal(threads.length, 2);
  });

  test("a relay whose log is here too is linked by id and message-id", () => {
    const { stories, threads } = track(
      eventsOf(`
        Oct 10 10:00:00 edge postfix/cleanup[2]: AAAAA11111: message-id=<m1@b.example>
        Oct 10 10:00:01 inner postfix/smtpd[2]: BBBBB22222: client=edge[192.0.2.1]
        Oct 10 10:00:01 inner postfix/cleanup[2]: BBBBB22222: message-id=<m1@b.example>
        Oct 10 10:00:01 edge postfix/smtp[5]: AAAAA11111: to=<x@our.example>, relay=inner[192.0.2.2]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as BBBBB22222)`),
    );
    assert.equal(threads.length, 1);
    assert.equal(stories[0]!.links[0]!.kind, "relay");
  });

  test("local(8) forwards under a new id", () => {
    const { stories, threads } = track(
      eventsOf(`
        10:00:00 postfix/cleanup[2]: AAAAA11111: message-id=<m@b.example>
        10:00:01 postfix/cleanup[2]: BBBBB22222: message-id=<m@b.example>
        10:00:01 postfix/local[5]: AAAAA11111: to=<bob@our.example>, orig_to=<sales@our.example>, relay=local, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (forwarded as BBBBB22222)
        10:00:01 postfix/qmgr[3]: AAAAA11111: removed`),
    );
    assert.equal(threads.length, 1);
    assert.equal(stories[0]!.links[0]!.kind, "forward");
    assert.equal(stories[1]!.finished, false);
    assert.equal(stories[1]!.why, "log ends");
  });

  test("postsuper -r goes on under the id that pickup gives", () => {
    const { stories, threads } = track(
      eventsOf(`
        10:00:00 postfix/cleanup[2]: AAAAA11111: message-id=<m@b.example>
        10:00:00 postfix/qmgr[3]: AAAAA11111: from=<a@b.example>, size=300, nrcpt=1 (queue active)
        10:10:00 postfix/postsuper[8]: AAAAA11111: requeued
        10:10:05 postfix/pickup[4]: BBBBB22222: uid=102 from=<a@b.example> orig_id=AAAAA11111
        10:10:05 postfix/cleanup[2]: BBBBB22222: message-id=<m@b.example>`),
    );
    assert.equal(threads.length, 1);
    assert.equal(stories[0]!.fate, "requeued");
    assert.equal(stories[1]!.links[0]!.kind, "requeue");
  });
});

suite("how a message can end", () => {
  const fate = (text: string): (string | boolean | undefined)[] => {
    const story = track(eventsOf(text)).stories[0]!;
    return [story.fate, story.finished, story.why];
  };
  const start = `10:00:00 postfix/smtpd[1]: AAAAA11111: client=h.example[192.0.2.9]
    10:00:00 postfix/cleanup[2]: AAAAA11111: message-id=<m@b.example>
    `;
  test("refused by a milter at the end of the data", () =>
    assert.deepEqual(
      fate(
        `${start}10:00:00 postfix/cleanup[2]: AAAAA11111: milter-reject: END-OF-MESSAGE from h.example[192.0.2.9]: 5.7.1 no; from=<a@b.example> to=<x@our.example> proto=ESMTP helo=<h>`,
      ),
      ["rejected", true, undefined],
    ));
  test("deleted by the operator", () =>
    assert.deepEqual(fate(`${start}10:00:09 postfix/postsuper[8]: AAAAA11111: removed`), [
      "deleted",
      true,
      undefined,
    ]));
  test("aborted when the client leaves before cleanup saw a message-id", () =>
    assert.deepEqual(
      fate(`10:00:00 postfix/smtpd[1]: connect from h.example[192.0.2.9]
        10:00:00 postfix/smtpd[1]: AAAAA11111: client=h.example[192.0.2.9]
        10:00:01 postfix/smtpd[1]: lost connection after DATA (12 bytes) from h.example[192.0.2.9]
        10:00:01 postfix/smtpd[1]: disconnect from h.example[192.0.2.9] ehlo=1 mail=1 rcpt=1 data=0/1 commands=3/4`).slice(
        0,
        2,
      ),
      ["aborted", true],
    ));
  test("too old", () => {
    const story = track(
      eventsOf(`${start}10:00:00 postfix/qmgr[3]: AAAAA11111: from=<a@b.example>, size=300, nrcpt=1 (queue active)
        10:00:01 postfix/smtp[5]: AAAAA11111: to=<x@far.example>, relay=none, delay=1, delays=0/0/0/1, dsn=4.4.1, status=deferred (connect to far.example[192.0.2.7]:25: Connection refused)
        Oct 13 10:00:01 mx postfix/qmgr[3]: AAAAA11111: from=<a@b.example>, size=300, nrcpt=1 (queue active)
        Oct 15 10:00:01 mx postfix/qmgr[3]: AAAAA11111: from=<a@b.example>, status=expired, returned to sender
        Oct 15 10:00:01 mx postfix/qmgr[3]: AAAAA11111: removed`),
    ).stories[0]!;
    assert.deepEqual(statuses(story), ["x@far.example: deferred, expired"]);
    assert.ok(story.expired && story.finished);
  });
  test("on hold, and released", () => {
    const held = `${start}10:00:01 postfix/postsuper[8]: AAAAA11111: placed on hold`;
    assert.equal(track(eventsOf(held)).stories[0]!.held, true);
    const released = `${held}\n10:00:09 postfix/postsuper[8]: AAAAA11111: released from hold`;
    assert.equal(track(eventsOf(released)).stories[0]!.held, false);
  });
  test("an address probe", () =>
    assert.deepEqual(
      statuses(
        track(
          eventsOf(
            "10:00:00 postfix/smtp[5]: AAAAA11111: to=<x@far.example>, relay=far.example[192.0.2.7]:25, delay=1, delays=0/0/0/1, dsn=2.1.5, status=deliverable (250 2.1.5 Ok)",
          ),
        ).stories[0]!,
      ),
      ["x@far.example: deliverable"],
    ));
  test("not at all: the log ends, or began too late", () => {
    assert.deepEqual(fate(start), [undefined, false, "log ends"]);
    const late = track(eventsOf("10:00:00 postfix/qmgr[3]: AAAAA11111: removed")).stories[0]!;
    assert.ok(!late.startSeen && late.finished);
  });
});

suite("queue ids that are used again", () => {
  const message = (id: string, at: string, msgid: string, end = true): string =>
    `
    10:${at}:00 postfix/smtpd[1]: ${id}: client=h.example[192.0.2.9]
    10:${at}:00 postfix/cleanup[2]: ${id}: message-id=<${msgid}>
    10:${at}:00 postfix/qmgr[3]: ${id}: from=<a@b.example>, size=300, nrcpt=1 (queue active)
    ${end ? `10:${at}:01 postfix/qmgr[3]: ${id}: removed` : ""}`.trim();
  const lives = (text: string) => track(eventsOf(text.replace(/\n\s*\n/g, "\n"))).stories;

  test("begin a new message after removed, at once or an hour later", () => {
    for (const at of ["00", "59"]) {
      const stories = lives(`${message("AAAAA11111", "00", "one@b")}\n${message("AAAAA11111", at, "two@b")}`);
      assert.deepEqual(
        stories.map((s) => s.messageId),
        ["one@b", "two@b"],
      );
      assert.ok(stories.every((s) => s.finished && s.lineCount === 4));
    }
  });
  test("begin a new message when the old one's end is missing, and say so", () => {
    const stories = lives(
      `${message("AAAAA11111", "00", "one@b", false)}\n${message("AAAAA11111", "01", "two@b")}`,
    );
    assert.deepEqual(
      stories.map((s) => [s.messageId, s.finished, s.why]),
      [
        ["one@b", false, "id reused"],
        ["two@b", true, undefined],
      ],
    );
  });
  test("begin a new message with cleanup alone (bounces have no client)", () => {
    const stories = lives(`${message("AAAAA11111", "00", "one@b")}
      10:00:02 postfix/cleanup[2]: AAAAA11111: message-id=<two@b>`);
    assert.deepEqual(
      stories.map((s) => s.messageId),
      ["one@b", "two@b"],
    );
  });
  test("and two message-ids before the queue is one message (Resent-Message-Id)", () => {
    const stories = lives(`10:00:00 postfix/smtpd[1]: AAAAA11111: client=h.example[192.0.2.9]
      10:00:00 postfix/cleanup[2]: AAAAA11111: message-id=<one@b>
      10:00:00 postfix/cleanup[2]: AAAAA11111: resent-message-id=<two@b>`);
    assert.deepEqual(
      stories.map((s) => [s.messageId, s.lineCount]),
      [["one@b", 3]],
    );
  });
  test("are apart on two hosts and in two instances, and joined over a service's own name", () => {
    const stories = track(
      eventsOf(`
        Oct 10 10:00:00 mx postfix-out/qmgr[3]: CCCCC33333: from=<a@b>, size=1, nrcpt=1 (queue active)
        Oct 10 10:00:00 mx postfix/qmgr[3]: DDDDD44444: from=<a@b>, size=1, nrcpt=1 (queue active)
        Oct 10 10:00:01 mx postfix/cleanup[3]: AAAAA11111: message-id=<in@b>
        Oct 10 10:00:01 mx postfix-out/cleanup[3]: AAAAA11111: message-id=<out@b>
        Oct 10 10:00:01 other postfix/cleanup[3]: AAAAA11111: message-id=<other@b>
        Oct 10 10:00:02 mx postfix/qmgr[3]: AAAAA11111: removed
        Oct 10 10:00:03 mx postfix-out/qmgr[3]: AAAAA11111: removed
        Oct 10 10:00:04 mx submission/smtpd[3]: BBBBB22222: client=h.example[192.0.2.9], sasl_username=ann
        Oct 10 10:00:04 mx postfix/cleanup[3]: BBBBB22222: message-id=<sub@b>
        Oct 10 10:00:04 mx postfix/qmgr[3]: BBBBB22222: removed`),
    ).stories.slice(2);
    assert.deepEqual(
      stories.map((s) => [s.host, s.instance, s.messageId, s.finished]),
      [
        ["mx", "postfix", "in@b", true],
        ["mx", "postfix-out", "out@b", true],
        ["other", "postfix", "other@b", false],
        ["mx", "postfix", "sub@b", true],
      ],
    );
    assert.equal(stories[3]!.saslUsername, "ann");
  });
  test("are a new message's after five days without a line", () => {
    const stories = track(
      eventsOf(`10:00:00 postfix/qmgr[3]: AAAAA11111: from=<a@b>, size=1, nrcpt=1 (queue active)
        Oct 16 10:00:00 mx postfix/qmgr[3]: AAAAA11111: from=<c@d>, size=1, nrcpt=1 (queue active)`),
    ).stories;
    assert.deepEqual(
      stories.map((s) => [s.from, s.why]),
      [
        ["a@b", "timed out"],
        ["c@d", "log ends"],
      ],
    );
  });
});

suite("connections and sessions", () => {
  const ended = (text: string) =>
    track(eventsOf(text)).sessions.map((s) => [s.kind, s.finished, s.why, s.outcome]);
  test("smtpd: fatal ends it, a second connect of the pid ends the first unfinished", () => {
    assert.deepEqual(
      ended(`
        10:00:00 postfix/smtpd[1]: connect from h.example[192.0.2.9]
        10:00:00 postfix/smtpd[1]: fatal: no SASL authentication mechanisms
        10:00:01 postfix/smtpd[2]: connect from h.example[192.0.2.9]
        10:00:02 postfix/smtpd[2]: connect from h.example[192.0.2.8]
        10:00:02 postfix/smtpd[2]: disconnect from h.example[192.0.2.8] quit=1 commands=1`),
      [
        ["smtpd", true, undefined, "the process died"],
        ["smtpd", false, "id reused", undefined],
        ["smtpd", true, undefined, undefined],
      ],
    );
  });
  test("smtpd: silence for half an hour, and the log's end", () => {
    assert.deepEqual(
      ended(`
        10:00:00 postfix/smtpd[1]: connect from h.example[192.0.2.9]
        10:31:00 postfix/smtpd[2]: connect from h.example[192.0.2.9]`),
      [
        ["smtpd", false, "timed out", undefined],
        ["smtpd", false, "log ends", undefined],
      ],
    );
  });
  test("postscreen: refused and hung up by itself, or handed to smtpd", () => {
    assert.deepEqual(
      ended(`
        10:00:00 postfix/postscreen[1]: CONNECT from [192.0.2.9]:4022 to [192.0.2.1]:25
        10:00:01 postfix/postscreen[1]: HANGUP after 0.1 from [192.0.2.9]:4022 in tests before SMTP handshake
        10:00:01 postfix/postscreen[1]: DISCONNECT [192.0.2.9]:4022
        10:00:02 postfix/postscreen[1]: CONNECT from [192.0.2.9]:4023 to [192.0.2.1]:25
        10:00:02 postfix/postscreen[1]: ALLOWLISTED [192.0.2.9]:4023`),
      [
        ["postscreen", true, undefined, "hung up"],
        ["postscreen", true, undefined, "handed to smtpd"],
      ],
    );
  });
  test("Dovecot: by session id, from log-in to log-out", () => {
    const { sessions } = track(
      eventsOf(`
        10:00:00 dovecot: imap-login: Login: user=<ann>, method=PLAIN, rip=192.0.2.9, lip=192.0.2.1, mpid=447, TLS, session=<jguLmttcG+eAKnO6>
        10:09:00 dovecot: imap(ann)<447><jguLmttcG+eAKnO6>: Disconnected: Logged out in=35 out=871`),
    );
    assert.equal(sessions.length, 1);
    assert.deepEqual(
      [sessions[0]!.user, sessions[0]!.client, sessions[0]!.finished, sessions[0]!.lineCount],
      ["ann", "192.0.2.9", true, 2],
    );
  });
});

suite("Exim", () => {
  test("a message by its own id, arrival to completion", () => {
    const base = eventsOf("10:00:00 postfix/qmgr[3]: removed")[0]!;
    const exim = (event: string, fields: MailEvent["fields"], line: number): MailEvent =>
      changed(base, { line, program: "exim", daemon: "exim", event, fields, queueId: "1pXyZ1-0004Ab-Cd" });
    const { stories } = track([
      exim("client", { from: "a@b.example", size: 900, message_id: "m@b.example" }, 1),
      exim("delivery", { to: "x@our.example", status: "deferred", reason: "refused" }, 2),
      exim("delivery", { to: "x@our.example", status: "sent" }, 3),
      exim("removed", {}, 4),
    ]);
    assert.equal(stories.length, 1);
    assert.equal(stories[0]!.messageId, "m@b.example");
    assert.ok(stories[0]!.startSeen && stories[0]!.finished);
    assert.deepEqual(statuses(stories[0]!), ["x@our.example: deferred, sent"]);
  });
  test("one line is the bounce of one message and the start of another", () => {
    const base = eventsOf("10:00:00 postfix/qmgr[3]: removed")[0]!;
    const exim = (event: string, queueId: string, fields: MailEvent["fields"]): MailEvent =>
      changed(base, { program: "exim", daemon: "exim", event, fields, queueId });
    const { stories, threads } = track([
      exim("client", "1pXyZ1-0004Ab-Cd", { from: "a@b.example" }),
      exim("bounce_notification", "1pXyZ1-0004Ab-Cd", { from: "", new_queue_id: "1pXyZ2-0004Ac-Cd" }),
      exim("removed", "1pXyZ1-0004Ab-Cd", {}),
      exim("removed", "1pXyZ2-0004Ac-Cd", {}),
    ]);
    assert.equal(threads.length, 1);
    assert.deepEqual(
      stories.map((s) => [s.queueId, s.startSeen, s.finished, s.links[0]?.known]),
      [
        ["1pXyZ1-0004Ab-Cd", true, true, true],
        ["1pXyZ2-0004Ac-Cd", true, true, true],
      ],
    );
  });
});

suite("bounds", () => {
  const base = eventsOf("10:00:00 postfix/cleanup[3]: AAAAA11111: message-id=<m@b>")[0]!;
  test("recipients and lines of one message", () => {
    const many = Array.from({ length: MAX_RECIPIENTS + 5 }, (_, i): MailEvent => {
      const fields = { to: `x${i}@far.example`, status: "sent" };
      return changed(base, { line: i + 1, daemon: "postfix/smtp", event: "delivery", fields });
    });
    const story = track(many).stories[0]!;
    assert.equal(story.recipients.size, MAX_RECIPIENTS);
    assert.equal(story.recipientsOmitted, 5);
    assert.equal(story.lines.length, MAX_STORY_LINES);
    assert.equal(story.lineCount, MAX_RECIPIENTS + 5);
    assert.equal(linesOf(story)[0], 1);
    assert.equal(linesOf(story).at(-1), MAX_RECIPIENTS + 5);
  });
  test("a flood of 250,000 ids keeps the newest and takes seconds", () => {
    let peak = 0;
    let given = 0;
    const tracker = new MessageTracker({
      onThread: (thread) => {
        given += thread.stories.length;
      },
    });
    const start = process.cpuUsage();
    for (let i = 0; i < 250_000; i++) {
      const queueId = (0xa00000 + i).toString(16).toUpperCase();
      tracker.add(changed(base, { time: base.time! + i, queueId, fields: { message_id: `${i}@b` } }));
      if (tracker.size > peak) peak = tracker.size;
    }
    tracker.end();
    const cpu = process.cpuUsage(start);
    assert.ok(peak <= 30_001, `${peak} messages held`);
    assert.equal(given, 250_000);
    assert.equal(tracker.counts.evicted + tracker.counts.logEnds, 250_000);
    // Far above what it takes (about 3 s), so that a slow machine passes and quadratic work does not.
    assert.ok(cpu.user + cpu.system < 20e6, `${(cpu.user + cpu.system) / 1e6} s`);
  });
});
