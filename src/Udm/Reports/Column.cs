namespace Udm.Reports;

/// <summary>A column that a report may have.</summary>
/// <typeparam name="T">What its rows tell of.</typeparam>
/// <param name="Group">Its group: <c>GROUP_all</c> asks for all columns of the group.</param>
/// <param name="Id">Its word; underscores and case do not matter to who asks for it.</param>
/// <param name="Heading">What stands above it.</param>
/// <param name="Width">Its least width in characters, and the greatest of the heading where no value is wider.</param>
/// <param name="IsNumber">Whether it is aligned to the right, and sorted as a number.</param>
/// <param name="Value">Its value for a row.</param>
/// <param name="Description">What it tells, for the list of columns.</param>
internal sealed record Column<T>(string Group, string Id, string Heading, int Width, bool IsNumber, Func<T, string> Value, string Description)
{
    /// <summary>What a number is sorted by and compared with, where its text is not that: an integer, or the bits of a double that is not negative.</summary>
    public Func<T, ulong>? Key { get; init; }

    /// <summary>What a text is sorted by and compared with, where it is not what is shown.</summary>
    public Func<T, string>? ComparedText { get; init; }

    /// <summary>Whether it is a size: <see cref="Key"/> has the bits of a double of sectors, and is compared with a size that may have a unit.</summary>
    public bool IsSize { get; init; }
}
