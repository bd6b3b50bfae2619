"""`jan-jupyter completion SHELL`: what makes Tab complete in bash, zsh and fish.

The scripts know nothing themselves: they ask `jan-jupyter --complete SHELL …` what may stand at the
cursor. An answer is a line for each, with a tab and what it is; `:files` alone lets the shell
complete paths, which it quotes better.
"""

from __future__ import annotations

from argparse import Namespace

from ..commands.command import Caller, Command, arg

SCRIPTS = {
    "bash": r"""# jan-jupyter: completion for bash.
# In ~/.bashrc: eval "$(jan-jupyter completion bash)"
_jan_jupyter() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done < <(jan-jupyter --complete bash "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
    if [[ ${COMPREPLY[0]-} == :files ]]; then
        COMPREPLY=()
        compopt -o default 2>/dev/null
    elif [[ ${COMPREPLY[0]-} == *[=/] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -F _jan_jupyter jan-jupyter
""",
    "zsh": r"""#compdef jan-jupyter
# jan-jupyter: completion for zsh. In ~/.zshrc, after compinit: source <(jan-jupyter completion zsh)
_jan_jupyter() {
    local line
    local -a texts shown
    for line in "${(@f)$(jan-jupyter --complete zsh "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
        [[ -z $line ]] && continue
        if [[ $line == :files ]]; then _files; return; fi
        texts+=("${line%%$'\t'*}")
        shown+=("${line/$'\t'/  -- }")
    done
    (( $#texts )) || return 1
    if (( $#texts == 1 )) && [[ $texts[1] == *[=/] ]]; then
        compadd -S '' -- "$texts[@]"
    else
        compadd -l -d shown -- "$texts[@]"
    fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _jan_jupyter "$@"
else
    compdef _jan_jupyter jan-jupyter
fi
""",
    "fish": r"""# jan-jupyter: completion for fish. In ~/.config/fish/config.fish:
#   jan-jupyter completion fish | source
function __jan_jupyter
    set -l typed (commandline -opc) (commandline -ct)
    set -l found (jan-jupyter --complete fish $typed[2..-1] 2>/dev/null)
    if test "$found[1]" = ":files"
        __fish_complete_path (commandline -ct)
    else
        printf '%s\n' $found
    end
end
complete -c jan-jupyter -f -a '(__jan_jupyter)'
""",
}


def completion(caller: Caller, arguments: Namespace) -> None:
    print(SCRIPTS[arguments.shell], end="")


COMMAND = Command(
    "completion",
    completion,
    "print what completes commands, models and threads in your shell",
    (
        arg(
            "shell",
            choices=tuple(SCRIPTS),
            metavar="SHELL",
            help="bash, zsh or fish",
        ),
    ),
    """\
  bash   eval "$(jan-jupyter completion bash)"         in ~/.bashrc
  zsh    source <(jan-jupyter completion zsh)          in ~/.zshrc, after compinit
  fish   jan-jupyter completion fish | source          in ~/.config/fish/config.fish""",
)
