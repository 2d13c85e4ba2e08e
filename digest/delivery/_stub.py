from digest.rendering import Shelf, digest_message


class Press:
    def lay_out(self, digests):
        s = Shelf.for_digests(digests)
        if hasattr(self, "shelf"):
            for n in ("papers", "blurbs", "topics", "editions"):
                getattr(self.shelf, n).update(getattr(s, n))
        else:
            self.shelf = s

    def message(self, digest, subscriber, *, now, without=frozenset()):
        return digest_message(digest, subscriber, self.shelf, now=now, without=without)

    def likeness(self, digest, subscriber):
        return None
