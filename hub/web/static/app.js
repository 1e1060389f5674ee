// Everything works without this file. With it: the feed is live, figures stay fresh, addresses can be copied.
"use strict";

const feed = document.getElementById("feed");

function insert(html) {
  const made = document.createElement("template");
  made.innerHTML = html; // one row of our own template, escaped there
  const row = made.content.firstElementChild;
  if (!row || document.getElementById(row.id)) return;
  const blank = document.getElementById("feed-empty");
  if (blank) blank.remove();
  row.classList.add("new");
  feed.prepend(row);
  while (feed.children.length > Number(feed.dataset.most)) feed.lastElementChild.remove();
}

function live() {
  const state = document.getElementById("live-state");
  const button = document.getElementById("live-pause");
  let paused = false;
  let waiting = [];
  const say = (word) => {
    state.hidden = false;
    state.textContent = state.dataset[word];
    state.classList.toggle("on", word === "on");
  };
  const source = new EventSource(feed.dataset.from);
  source.addEventListener("open", () => say(paused ? "paused" : "on"));
  source.addEventListener("error", () => {
    say("off");
    if (source.readyState === EventSource.CLOSED) button.hidden = true;
  });
  source.addEventListener("steps", freshen);
  source.addEventListener("message", (told) => {
    if (!paused) return insert(told.data);
    waiting.push(told.data);
    waiting = waiting.slice(-50);
  });
  button.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    button.textContent = paused ? button.dataset.go : button.dataset.pause;
    say(paused ? "paused" : "on");
    if (!paused) waiting.splice(0).forEach(insert);
  });
  window.addEventListener("pagehide", () => source.close());
}

async function freshen() {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.querySelectorAll("[data-fresh]").forEach((old) => {
      const now = page.getElementById(old.id);
      if (now && now.innerHTML !== old.innerHTML && !old.contains(document.activeElement)) old.replaceWith(now);
    });
  } catch {
    // away for a moment: the next look will do
  }
}

function copying() {
  document.querySelectorAll("[data-copy]").forEach((button) => {
    if (!navigator.clipboard) return;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
      button.textContent = button.dataset.done;
    });
  });
}

// A menu closes when something else is chosen, or with Escape.
document.addEventListener("click", (event) => {
  document.querySelectorAll("details.who[open], details.inline[open]").forEach((menu) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  document.querySelectorAll("details.who[open], details.inline[open]").forEach((menu) => {
    menu.open = false;
    menu.querySelector("summary").focus();
  });
});

document.querySelectorAll("[data-print]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
});

// One box ticks all of the page's.
document.querySelectorAll("[data-all]").forEach((all) => {
  all.hidden = false;
  const boxes = () => document.querySelectorAll(`input[type=checkbox][form="${all.dataset.all}"]`);
  // What is marked apart is chosen one by one only.
  all.addEventListener("change", () => boxes().forEach((box) => {
    if (!all.checked || !("apart" in box.dataset)) box.checked = all.checked;
  }));
});

// Of tabs that do not fit, the one that one is on is seen.
document.querySelectorAll(".tabs [aria-current]").forEach((tab) => {
  const row = tab.closest(".tabs");
  if (row.scrollWidth > row.clientWidth) row.scrollLeft = tab.offsetLeft - row.offsetLeft - 40;
});

const steps = document.querySelector("[data-steps]");
if (feed && "EventSource" in window) live();
else if (steps && "EventSource" in window) {
  const source = new EventSource(steps.dataset.steps);
  source.addEventListener("steps", async () => {
    await freshen();
    if (!document.querySelector("[data-steps]")) source.close(); // what was waited for has come to its end
  });
  window.addEventListener("pagehide", () => source.close());
}
if (document.querySelector("[data-fresh]")) setInterval(freshen, 15000);
copying();
