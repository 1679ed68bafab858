(function () {
  "use strict";
  var data = JSON.parse(document.getElementById("data").textContent);
  var tip = document.getElementById("tip");
  var runs = document.querySelectorAll("svg.run");
  var all = document.getElementById("all");
  var pinned = null;

  function eventAt(target) {
    var group = target.closest ? target.closest(".e") : null;
    return group;
  }

  function onMove(move) {
    var group = eventAt(move.target);
    if (!group) { tip.style.display = "none"; return; }
    var event = data[group.dataset.i];
    tip.textContent = event[0] + "   " + event[1] + "\n" + event[2] + (event[3] !== event[2] ? "\n" + event[3] : "");
    tip.style.display = "block";
    tip.style.left = Math.min(move.clientX + 14, window.innerWidth - tip.offsetWidth - 10) + "px";
    tip.style.top = Math.min(move.clientY + 14, window.innerHeight - tip.offsetHeight - 10) + "px";
  }

  // What happened before, over each party's order and over messages; a second click shows the usual picture again.
  function onClick(click) {
    var group = eventAt(click.target);
    document.querySelectorAll(".on").forEach(function (on) { on.classList.remove("on"); });
    if (!group || pinned === group) { pinned = null; document.body.classList.remove("past"); return; }
    pinned = group;
    var past = {};
    var open = [group.dataset.i];
    while (open.length > 0) {
      var index = open.pop();
      if (past[index] || !data[index]) { continue; }
      past[index] = true;
      open.push(String(data[index][4]), String(data[index][5]));
    }
    document.querySelectorAll(".e").forEach(function (one) { if (past[one.dataset.i]) { one.classList.add("on"); } });
    document.body.classList.add("past");
  }

  runs.forEach(function (run) {
    run.addEventListener("mousemove", onMove);
    run.addEventListener("mouseleave", function () { tip.style.display = "none"; });
    run.addEventListener("click", onClick);
  });

  if (all) {
    all.addEventListener("change", function () { document.body.classList.toggle("focus", !all.checked); });
  }
}());
