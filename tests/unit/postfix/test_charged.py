"""What of a message was counted already: each recipient once over all stages, in a memory that is bounded."""

from app.postfix.charged import Charged
from app.postfix.protocol import Question


def asked(state, count=0, *, recipient="", instance="i1", sender="news@shop.example"):
    return Question(state, sender, recipient, count, instance=instance)


def count(charged, question, recipients=1):
    """Return how many are due, and note them as one that passed."""
    due = charged.due("news", question, recipients)
    charged.note("news", question, due)
    return due


def test_each_recipient_counts_once_over_all_stages():
    charged = Charged()
    assert [count(charged, asked("RCPT", recipient=each)) for each in ("a", "b", "a")] == [1, 1, 0]
    assert count(charged, asked("DATA", 3), 3) == 1
    assert count(charged, asked("DATA", 3), 3) == 0
    assert count(charged, asked("END-OF-MESSAGE", 3), 3) == 0


def test_another_message_counts_for_itself():
    charged = Charged()
    assert count(charged, asked("DATA", 3), 3) == 3
    assert count(charged, asked("DATA", 3, instance="i2"), 3) == 3
    assert count(charged, asked("DATA", 3, sender="other@shop.example"), 3) == 3
    assert charged.due("offers", asked("DATA", 3), 3) == 3


def test_one_that_begins_anew_under_the_same_name_counts_anew():
    charged = Charged()
    assert count(charged, asked("DATA", 3), 3) == 3
    assert count(charged, asked("RCPT", recipient="a")) == 1
    assert count(charged, asked("DATA", 2), 2) == 1


def test_one_without_a_name_counts_each_time():
    charged = Charged()
    assert [count(charged, asked("DATA", 3, instance=""), 3) for _ in range(2)] == [3, 3]


def test_it_remembers_so_many_messages_and_the_oldest_counts_anew():
    charged = Charged(most_messages=2)
    for instance in ("i1", "i2", "i3"):
        assert count(charged, asked("DATA", 1, instance=instance)) == 1
    assert [charged.due("news", asked("DATA", 1, instance=each), 1) for each in ("i1", "i2", "i3")] == [1, 0, 0]


def test_it_remembers_so_many_recipients_and_each_in_a_few_bytes_however_long_it_is():
    charged = Charged(most_recipients=5)
    for number in range(40):
        long = f"{number}{'x' * 60_000}@x.example"
        assert count(charged, asked("RCPT", recipient=long, instance=f"i{number % 4}")) == 1
    kept = [each for message in charged._messages.values() for each in message.recipients]
    assert (len(kept), sum(map(len, kept)), charged._recipients) == (5, 80, 5)
