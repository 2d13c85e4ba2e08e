// The edition screen works without this: it only counts characters and asks before unsaved work is left.
"use strict";

for (const textarea of document.querySelectorAll("textarea[data-counter]")) {
  const limit = Number(textarea.dataset.counter);
  const counter = document.getElementById(`${textarea.id}_count`);
  const count = () => {
    const length = textarea.value.trim().length;
    counter.textContent = `${length} of ${limit}${length > limit ? ": mails cut it there" : ""}`;
    counter.classList.toggle("is-over", length > limit);
  };
  textarea.addEventListener("input", count);
  count();
}

const rows = document.getElementById("edition-rows");
if (rows) {
  let unsaved = false;
  rows.addEventListener("input", () => { unsaved = true; });
  rows.addEventListener("submit", () => { unsaved = false; });
  window.addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });
}
