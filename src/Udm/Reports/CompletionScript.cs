using System.Text;
using System.Text.RegularExpressions;
using Udm.Verbs;

namespace Udm.Reports;

/// <summary>
/// Scripts that complete the command line in a shell. What they offer of dmsetup's options is taken from the help: those that a verb's help
/// names; it works on devices where its usage says <c>DEVICE</c>.
/// </summary>
internal static partial class CompletionScript
{
    // Names are the lines of 'ls' that have a tab: "No devices found" has none.
    private const string ListNames = """ls 2>/dev/null | sed -n 's/\t(.*//p'""";

    private static readonly Option[] OfAllVerbs = [Option.Run, Option.Uuid, Option.Major, Option.Minor, Option.MangleName, Option.Help];

    /// <summary>The options that are offered after a verb.</summary>
    public static IReadOnlyList<OptionForm> OptionsOf(Verb verb)
    {
        HashSet<string> named = [.. LongOption().Matches($"{verb.Usage}\n{verb.Help}").Select(match => match.Groups["name"].Value)];
        return [.. OptionForm.All.Where(form => (form.IsOwn ? verb.OwnOptions.Contains(form.Option) : named.Contains(form.Name)) || OfAllVerbs.Contains(form.Option))];
    }

    /// <summary>For bash 4 and later.</summary>
    public static string Bash()
    {
        StringBuilder script = new();
        script.Append($$"""
            # Completes udm's command line in bash: source <(udm completion bash)
            _udm() {
              local word=${COMP_WORDS[COMP_CWORD]} verb= option= options= devices= name i
              local -a run
              for ((i = 1; i < COMP_CWORD; i++)); do
                option=${COMP_WORDS[i]}
                case $option in
                  {{OptionsWithValue}})
                    if [[ ${COMP_WORDS[i + 1]} == = ]]; then ((i += 2)); else ((i++)); fi
                    if [[ $option == --run ]]; then run=(--run "${COMP_WORDS[i]}"); fi ;;
                  -*) ;;
                  *) [[ $verb ]] || verb=${COMP_WORDS[i]} ;;
                esac
              done
              COMPREPLY=()
              case $verb in
                '') mapfile -t COMPREPLY < <(compgen -W '{{string.Join(' ', VerbTable.All.Select(verb => verb.Name))}} {{Words(AllOptions)}}' -- "$word"); return ;;

            """);
        AppendCases(script, "    ");
        script.Append($$"""
              esac
              if [[ $word == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
              elif [[ -n $devices ]]; then
                while IFS= read -r name; do
                  if [[ $name == "$word"* ]]; then printf -v name %q "$name"; COMPREPLY+=("$name"); fi
                done < <("${COMP_WORDS[0]}" "${run[@]}" {{ListNames}})
              fi
            }
            complete -o default -F _udm udm

            """);
        return script.ToString();
    }

    /// <summary>For zsh, after <c>compinit</c>.</summary>
    public static string Zsh()
    {
        StringBuilder script = new();
        script.Append($$"""
            #compdef udm
            # Completes udm's command line in zsh: source <(udm completion zsh)
            _udm() {
              local verb= options= devices= i
              local -a verbs names run
              verbs=(

            """);
        foreach (Verb verb in VerbTable.All)
        {
            script.Append($"    {Quoted($"{verb.Name}:{verb.Summary}", "'\\''")}\n");
        }

        script.Append($$"""
              )
              for ((i = 2; i < CURRENT; i++)); do
                case $words[i] in
                  --run=*) run=($words[i]) ;;
                  {{OptionsWithValue}})
                    if [[ $words[i] == --run ]]; then run=(--run $words[i+1]); fi
                    ((i++)) ;;
                  -*) ;;
                  *) verb=${verb:-$words[i]} ;;
                esac
              done
              case $verb in
                '') options='{{Words(AllOptions)}}' ;;

            """);
        AppendCases(script, "    ");
        script.Append($$"""
              esac
              if [[ $PREFIX == -* ]]; then
                compadd -- ${=options}
              elif [[ -z $verb ]]; then
                _describe verb verbs
              else
                if [[ -n $devices ]]; then
                  names=("${(@f)$($words[1] $run {{ListNames}})}")
                  compadd -- ${names:#}
                fi
                _files
              fi
            }
            compdef _udm udm

            """);
        return script.ToString();
    }

    /// <summary>For fish.</summary>
    public static string Fish()
    {
        StringBuilder script = new();
        script.Append($$"""
            # Completes udm's command line in fish: udm completion fish > ~/.config/fish/completions/udm.fish
            function __udm_verb
              set -l skip 1
              for word in (commandline -opc)
                if test $skip = 1
                  set skip 0
                  continue
                end
                switch $word
                  case {{OptionsWithValue.Replace('|', ' ')}}
                    set skip 1
                  case '-*'
                  case '*'
                    echo $word
                    return 0
                end
              end
              return 1
            end
            function __udm_names
              set -l run
              set -l words (commandline -opc)
              for i in (seq (count $words))
                switch $words[$i]
                  case '--run=*'
                    set run $words[$i]
                  case --run
                    set run --run $words[(math $i + 1)]
                end
              end
              udm $run {{ListNames}}
            end
            function __udm_after
              test (__udm_verb; or echo -) = $argv[1]
            end

            """);
        foreach (Verb verb in VerbTable.All)
        {
            script.Append($"complete -c udm -f -n 'not __udm_verb >/dev/null' -a {verb.Name} -d {Quoted(verb.Summary, "\\'")}\n");
        }

        foreach (OptionForm form in AllOptions)
        {
            script.Append($"complete -c udm -n 'not __udm_verb >/dev/null'{FishOption(form)}\n");
        }

        foreach (Verb verb in VerbTable.All)
        {
            string after = $"complete -c udm -n '__udm_after {verb.Name}'";
            foreach (OptionForm form in OptionsOf(verb))
            {
                script.Append($"{after}{FishOption(form)}\n");
            }

            if (TakesDevices(verb))
            {
                script.Append($"{after} -a '(__udm_names)'\n");
            }
        }

        return script.ToString();
    }

    private static IEnumerable<OptionForm> AllOptions => OptionForm.All.Where(form => OfAllVerbs.Contains(form.Option) || form.Option == Option.Version);

    /// <summary>A shell's pattern of what takes the next word as its value.</summary>
    private static string OptionsWithValue =>
        string.Join('|', OptionForm.All.Where(form => form.TakesValue).SelectMany(form => form.Letters.Select(letter => $"-{letter}").Append($"--{form.Name}")));

    private static bool TakesDevices(Verb verb) => verb.Usage.Contains("DEVICE", StringComparison.Ordinal);

    private static string Words(IEnumerable<OptionForm> forms) => string.Join(' ', forms.Select(form => "--" + form.Name));

    /// <summary>What bash and zsh offer after each verb.</summary>
    private static void AppendCases(StringBuilder script, string indent)
    {
        foreach (Verb verb in VerbTable.All)
        {
            script.Append($"{indent}{verb.Name}) options='{Words(OptionsOf(verb))}'{(TakesDevices(verb) ? " devices=1" : "")} ;;\n");
        }
    }

    private static string FishOption(OptionForm form) =>
        string.Concat(form.Letters.Select(letter => $" -s {letter}")) + $" -l {form.Name}{(form.TakesValue ? " -r" : "")}";

    private static string Quoted(string text, string apostrophe) => $"'{text.Replace("'", apostrophe, StringComparison.Ordinal)}'";

    [GeneratedRegex(@"(?<![\w-])--(?<name>[a-z]+(?:-[a-z]+)*)")]
    private static partial Regex LongOption();
}
